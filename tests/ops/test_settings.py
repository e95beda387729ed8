"""Settings: where each value comes from, and what a bad one says."""

import re
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

import pytest

from ops import settings
from ops.errors import Code, OpsError
from tests.local_cloud import ROOT


def read(folder: Path, environ: Mapping[str, str] | None = None, **flags: str) -> settings.Settings:
    """Settings read in `folder` with these variables and flags."""
    return settings.read(flags, environ or {}, folder)


def test_defaults_are_local_and_say_so(tmp_path: Path) -> None:
    """With nothing set, everything is local, and each value names its source as the default."""
    found = read(tmp_path)

    assert (found.target, found.project, found.stack) == ("local", "local-project", "default")
    assert found.region == "us-central1"
    assert found.bucket == "local-project-ops-default"
    assert set(found.sources.values()) == {"default"}


def test_flag_beats_variable_beats_file(tmp_path: Path) -> None:
    """The order is flag, OPS_* variable, ops.toml, and sources say which it was."""
    (tmp_path / "ops.toml").write_text('stack = "file"\nproject = "file-project"\nregion = "x"\n')

    found = read(tmp_path, {"OPS_STACK": "variable", "OPS_PROJECT": "variable-one"}, stack="flag")

    assert (found.stack, found.project, found.region) == ("flag", "variable-one", "x")
    assert found.sources["stack"] == "--stack"
    assert found.sources["project"] == "OPS_PROJECT"
    assert found.sources["region"] == "ops.toml"


def test_settings_cannot_be_changed(tmp_path: Path) -> None:
    """What was read stays as it was read."""
    found = read(tmp_path)

    with pytest.raises(AttributeError):
        found.stack = "other"  # type: ignore[misc]


@pytest.mark.parametrize(
    ("environ", "message", "hint"),
    [
        (
            {"OPS_TARGET": "aws"},
            "The target is 'aws' (from OPS_TARGET); it can be local or gcp.",
            "Type --target local or --target gcp.",
        ),
        (
            {"OPS_TARGET": "gcp"},
            "The target is gcp and no project is set.",
            "Type --project YOUR-PROJECT-ID, or set OPS_PROJECT.",
        ),
        (
            {"OPS_PROJECT": "My Project"},
            "The project is 'My Project' (from OPS_PROJECT), which is not a project's form: "
            "lower-case letters, digits and dashes, a letter first.",
            "Type --project with another value.",
        ),
        (
            {"OPS_EMULATOR_PORT": "many"},
            "The emulator's port is 'many' (from OPS_EMULATOR_PORT); "
            "it is a number from 0 (any free port) to 65535.",
            "Set OPS_EMULATOR_PORT=0.",
        ),
    ],
)
def test_a_bad_value_is_refused(
    tmp_path: Path, environ: dict[str, str], message: str, hint: str
) -> None:
    """The message says what was received and from where; the hint says what to type."""
    with pytest.raises(OpsError) as refused:
        read(tmp_path, environ)

    assert (refused.value.code, refused.value.message, refused.value.hint) == (
        Code.SETTINGS,
        message,
        hint,
    )


def test_an_unknown_key_in_the_file_is_refused(tmp_path: Path) -> None:
    """A misspelt setting is never ignored."""
    (tmp_path / "ops.toml").write_text('stak = "x"\n')

    with pytest.raises(OpsError) as refused:
        read(tmp_path)

    assert refused.value.message == (
        f"{tmp_path / 'ops.toml'} has settings that are not known: stak."
    )
    assert refused.value.hint == (
        "Known settings: target, project, stack, region, bucket, owner, emulator_data, "
        "emulator_port, state_dir, trainer_image, impersonate, and the table [infra]."
    )


def test_the_example_file_has_every_setting_with_its_default(tmp_path: Path) -> None:
    """Copied as it is, it changes nothing; every setting is in it, with its variable."""
    text = (ROOT / "ops.example.toml").read_text()
    (tmp_path / "ops.toml").write_text(text)

    own, _, infra = text.partition("# [infra]\n")
    named = set(re.findall(r"(?m)^(?:# )?(\w+) = ", own))
    with_file, without = read(tmp_path), settings.read({}, {}, tmp_path / "elsewhere")

    assert named == set(settings.KEYS)
    assert all(variable in text for variable in settings.KEYS.values())
    assert re.findall(r"(?m)^# (\w+) = ", infra) == list(settings.INFRA_KEYS)
    assert replace(with_file, sources={}) == replace(without, sources={})


def test_the_examples_of_the_infra_table_are_taken_as_they_are(tmp_path: Path) -> None:
    """Without the # before them, its lines are TOML and every variable is known."""
    table = (ROOT / "ops.example.toml").read_text().partition("# [infra]\n")[2]
    lines = re.findall(r"(?m)^# (\w+ = .*)$", table)
    (tmp_path / "ops.toml").write_text("\n".join(["[infra]", *lines]))

    found = read(tmp_path)

    assert tuple(found.infra) == settings.INFRA_KEYS
    numbers = {"owner_id": "1234567", "repository_id": "123456789"}
    assert found.infra["github"] == {**numbers, "environment": "google"}


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("[infra]\nlabel = {}\nregion = 'x'\n", "that are not known: label, region."),
        ("infra = 3\n", "has infra = 3, which is not a table."),
    ],
)
def test_an_unknown_variable_in_the_infra_table_is_refused(
    tmp_path: Path, text: str, message: str
) -> None:
    """The known ones are named; what `ops` passes by itself is none of them."""
    (tmp_path / "ops.toml").write_text(text)

    with pytest.raises(OpsError) as refused:
        read(tmp_path)

    assert refused.value.code is Code.SETTINGS
    assert refused.value.message.endswith(message)
    assert refused.value.hint.endswith(f"Known in [infra]: {', '.join(settings.INFRA_KEYS)}.")


@pytest.mark.parametrize(
    ("line", "said"),
    [
        (
            'budget = { billing_account = "1", amount = 5, emial = "a@b.c" }',
            "budget.emial is not known; allowed: billing_account, amount, email, thresholds.",
        ),
        (
            'budget = { billing_account = "1", amount = "fifty" }',
            'budget.amount must be a number, without quotation marks; received: "fifty".',
        ),
        (
            'budget = { billing_account = "1", amount = 5, thresholds = [0.5, true] }',
            "budget.thresholds (number 2) must be a number, without quotation marks; "
            "received: true.",
        ),
        (
            'deletion_protection = "yes"',
            'deletion_protection must be true or false, without quotation marks; received: "yes".',
        ),
        (
            "runner_may_bootstrap = 1",
            "runner_may_bootstrap must be true or false, without quotation marks; received: 1.",
        ),
        (
            'automl_members = "user:a@b.c"',
            'automl_members must be a list in square brackets; received: "user:a@b.c".',
        ),
        ('github = { owner_id = "1" }', "github has no repository_id; received: owner_id."),
        (
            'github = "me/mine"',
            'github must be a table in braces; received: "me/mine".',
        ),
        (
            'gpu_quota.t4 = { gpu = "NVIDIA_L4", use = "serving", count = 1, zone = "a" }',
            "gpu_quota.t4.zone is not known; allowed: gpu, use, count, region.",
        ),
        (
            "labels = { team = 7 }",
            "labels.team must be a string in quotation marks; received: 7.",
        ),
        (
            "bucket_soft_delete_days = nan",
            "bucket_soft_delete_days must be a number, without quotation marks; received: nan.",
        ),
    ],
)
def test_a_wrong_value_in_the_infra_table_is_refused(tmp_path: Path, line: str, said: str) -> None:
    """The key, what was received, what is allowed: Terraform would drop or convert it unsaid."""
    file = tmp_path / "ops.toml"
    file.write_text(f"[infra]\n{line}\n")

    with pytest.raises(OpsError) as refused:
        read(tmp_path)

    option = re.split(r"\W", line)[0]
    assert refused.value.code is Code.SETTINGS
    assert refused.value.message == f"{file} has in [infra] what infra/ does not take: {said}"
    assert refused.value.hint == f"Correct {option} in {file}; ops.example.toml shows each."


def test_everything_wrong_in_the_infra_table_is_said_at_once(tmp_path: Path) -> None:
    """One look mends it all."""
    text = "[infra]\nbudget = { billing_account = 1, amout = 5 }\nlabels = []\n"
    (tmp_path / "ops.toml").write_text(text)

    with pytest.raises(OpsError) as refused:
        read(tmp_path)

    assert refused.value.message.count(";") == 3 + 4
    assert "Correct budget, labels in" in refused.value.hint


def test_an_account_to_act_as_is_a_service_account(tmp_path: Path) -> None:
    """A person cannot be acted as; the address says where it was set."""
    address = "default-runner@my-project.iam.gserviceaccount.com"

    found = read(tmp_path, {"OPS_IMPERSONATE": address})
    with pytest.raises(OpsError) as refused:
        read(tmp_path, {"OPS_IMPERSONATE": "you@example.com"})

    assert (found.impersonate, found.sources["impersonate"]) == (address, "OPS_IMPERSONATE")
    assert refused.value.message == (
        "The account to act as is 'you@example.com' (from OPS_IMPERSONATE), which is not the "
        "address of a service account."
    )
