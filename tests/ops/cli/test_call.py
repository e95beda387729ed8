"""Prices and agreement: shown always, asked for only where something is billed."""

from pathlib import Path

import pytest

from ops import settings
from ops.cli.call import Call
from ops.cloud.session import Session
from ops.errors import Code, OpsError
from ops.pricing.estimate import Estimate, automl_deployed, automl_training

BOTH = Estimate(
    costs=(automl_training(8, "us-central1"),), hourly=(automl_deployed(1, "us-central1"),)
)
LINES = (
    "AutoML training: at most 8 node hours x $3.465 = $27.72 (rate of 2026-10-07)",
    "AutoML model deployed: $1.375 for every hour (rate of 2026-09-08)",
)


def call_on(target: str, yes: bool = False, **flags: str) -> Call:
    """A call of a command, with nobody at the terminal."""
    found = settings.read({"target": target, **flags}, {"OPS_PROJECT": "my-project"}, Path("/"))
    call = Call("train", found, yes=yes)
    vars(call)["session"] = Session(found, None)
    return call


def test_local_shows_the_price_and_asks_nothing(capsys: pytest.CaptureFixture[str]) -> None:
    """What Google would ask, and that it is nothing here."""
    call_on("local").price(BOTH)

    assert capsys.readouterr().err == (
        f"Google would ask: {LINES[0]}\nGoogle would ask: {LINES[1]}\nHere: $0.00\n"
    )


def test_google_s_price_needs_agreement(capsys: pytest.CaptureFixture[str]) -> None:
    """Without a terminal and without --yes nothing is spent, and the hint is what to add."""
    with pytest.raises(OpsError) as refused:
        call_on("gcp").price(BOTH)

    assert capsys.readouterr().err == f"Price: {LINES[0]}\nPrice: {LINES[1]}\n"
    assert (refused.value.code, refused.value.message, refused.value.hint) == (
        Code.NEEDS_YES,
        "Go on at this price? Nobody is at the terminal to answer.",
        "Add --yes to agree.",
    )


def test_yes_agrees_to_the_price() -> None:
    """With --yes nothing is asked."""
    call_on("gcp", yes=True).price(BOTH)


def test_what_costs_nothing_is_not_asked_about() -> None:
    """An empty estimate is agreed to by itself."""
    call_on("gcp").price(Estimate())


def test_deleting_on_google_needs_the_project_in_the_command() -> None:
    """--yes alone is not enough where something real goes: the project has to be typed."""
    with pytest.raises(OpsError) as refused:
        call_on("gcp", yes=True).confirm_deletion("all of stack default")

    assert (refused.value.message, refused.value.hint) == (
        "This deletes all of stack default on Google.",
        "Add --yes --project my-project to agree.",
    )
    call_on("gcp", yes=True, project="my-project").confirm_deletion("all of stack default")


def test_deleting_on_local_needs_yes() -> None:
    """A local model took time to train: it goes only when asked for."""
    with pytest.raises(OpsError) as refused:
        call_on("local").confirm_deletion("all of stack default")

    assert (refused.value.message, refused.value.hint) == (
        "Delete all of stack default? Nobody is at the terminal to answer.",
        "Add --yes to agree.",
    )
    call_on("local", yes=True).confirm_deletion("all of stack default")
