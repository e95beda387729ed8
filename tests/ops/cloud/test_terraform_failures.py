"""What Terraform's diagnostics come to: each in a sentence, with what to type.

Recorded ones lie in `diagnostics/`, as Terraform 1.11.4 with google 7.45.0 wrote them; the others
are Google's own words (`google_words.toml`), from the threads named beside them.
"""

import json
import re
import tomllib
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from ops import settings
from ops.cloud import terraform_failures
from ops.cloud.terraform_process import Ended
from ops.errors import Code, OpsError
from ops.settings import Settings

RECORDED = Path(__file__).with_name("diagnostics")
SETTINGS: dict[str, Any] = {"project": "recorded-project", "bucket": "recorded-bucket"}
WHERE = {settings.TARGET: "gcp", settings.PROJECT: "my-project"}

GOOGLE = tomllib.loads((RECORDED / "google_words.toml").read_text())


@pytest.fixture
def where(tmp_path: Path) -> Settings:
    """Settings of a stack on Google."""
    return settings.read({}, WHERE, tmp_path)


def event(summary: str, detail: str = "", severity: str = "error") -> dict[str, Any]:
    """A diagnostic as Terraform's JSON output has it."""
    body = {"severity": severity, "summary": summary, "detail": detail}
    return {"type": "diagnostic", "diagnostic": body}


def explained(where: Settings, *events: dict[str, Any], exit_code: int | None = 1) -> OpsError:
    """What these come to."""
    return terraform_failures.explain(Ended(exit_code, tuple(events), ""), "apply", where)


@pytest.mark.parametrize("row", GOOGLE.values(), ids=list(GOOGLE))
def test_google_s_words(where: Settings, row: dict[str, str]) -> None:
    """The code, the sentence and what to type, with nothing left to fill in."""
    error = explained(where, event(row["said"]))

    assert error.code == row["code"]
    assert row["message"] in error.message
    assert row["hint"] in error.hint
    assert not re.search(r"\{\w+\}", error.message + error.hint)


def recorded() -> Iterator[Any]:
    """Every recorded failure, with what it is to come to."""
    for path in sorted(RECORDED.glob("*.json")):
        yield pytest.param(json.loads(path.read_text()), id=path.stem)


@pytest.mark.parametrize("record", list(recorded()))
def test_what_was_recorded(where: Settings, record: dict[str, Any]) -> None:
    """The provider's own diagnostics come to the code and sentence that were agreed."""
    error = explained(replace(where, **SETTINGS), *record["events"])

    assert error.code == record["code"]
    for words in record["says"]:
        assert words in f"{error.message} {error.hint}"


def test_the_graver_of_two_is_told_and_the_other_counted(where: Settings) -> None:
    """What the table names first comes first, whatever came first; warnings do not count."""
    error = explained(
        where,
        event("Deprecated", severity="warning"),
        event("Error creating X: googleapi: Error 403: no right, forbidden"),
        event("Error creating Y: googleapi: Error 403: Billing must be enabled., forbidden"),
    )

    assert error.code is Code.NOT_PREPARED
    assert "another message is in .ops/default/terraform/log.jsonl" in error.message


def test_what_nobody_foresaw_keeps_its_own_words(where: Settings) -> None:
    """Terraform's summary, and where the rest is."""
    error = explained(where, event("Something new", "with a detail"))

    assert error.code is Code.REFUSED
    assert "Something new with a detail" in error.message
    assert "log.jsonl" in error.hint


@pytest.mark.parametrize(
    ("exit_code", "words"),
    [(-9, "was killed (signal 9)"), (None, "ran out of time"), (2, "with 2")],
)
def test_a_death_without_a_word(where: Settings, exit_code: int | None, words: str) -> None:
    """Killed, given up or crashed: it says which."""
    assert words in explained(where, exit_code=exit_code).message


def test_every_failure_of_the_table_is_tested() -> None:
    """Each row is what some test above comes to."""
    texts = [row["said"] for row in GOOGLE.values()]
    for path in RECORDED.glob("*.json"):
        events = json.loads(path.read_text())["events"]
        texts += [one.text for one in terraform_failures.diagnostics(events)]

    met = [terraform_failures.first(text) for text in texts]

    assert [row["means"] for row in terraform_failures.table() if row not in met] == []
