"""Which command does which work."""

import sys

import pytest

from emulator.jobs import engines


def test_options_override_the_default_table() -> None:
    """The last option that fits wins; quoting is the shell's, but there is no shell."""
    given = [
        "train:automl_*=first",
        "train:automl_image_classification=python -c 'print(1 > 2)'",
        "serve:automl_image_classification=server",
    ]

    command = engines.find(given, "train", "automl_image_classification")

    assert command == ("python", "-c", "print(1 > 2)")
    assert engines.find(given, "train", "automl_tables") == ("first",)
    assert engines.find([], "train", "unknown_task") is None


def test_images_are_known_without_tag_and_digest() -> None:
    """A registry's port is no tag."""
    given = ["train:localhost:5000/team/trainer=command"]

    for image in ("localhost:5000/team/trainer", "localhost:5000/team/trainer:v1@sha256:ab"):
        assert engines.without_tag(image) == "localhost:5000/team/trainer"
    assert engines.find(["train:*/mine=command"], "train", "eu.pkg.dev/p/mine:v2") == ("command",)
    with pytest.raises(ValueError, match=r"KIND:PATTERN|train:PATTERN=COMMAND"):
        engines.parse("nothing")
    assert engines.parse(given[0]).command == ("command",)


def test_automl_goes_to_the_trainer_where_it_is_installed() -> None:
    """The default table names modules, run by the server's own Python."""
    command = engines.find([], "train", "automl_image_classification")

    assert command == (sys.executable, "-m", "trainer.automl")
