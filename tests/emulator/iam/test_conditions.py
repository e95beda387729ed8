"""Conditions: what they say of a request, and that nothing they say can stop the server."""

from __future__ import annotations

import logging
from datetime import UTC, datetime

import pytest

from emulator.iam.conditions import Facts, holds

FACTS = Facts(
    "storage.googleapis.com",
    "storage.googleapis.com/Object",
    "projects/_/buckets/photos/objects/images/cat.jpg",
    datetime(2026, 11, 21, 20, 30, tzinfo=UTC),
    {"storage.googleapis.com/objectListPrefix": "images/"},
)
OBJECT = '"storage.googleapis.com/Object"'
TRUE = [
    'resource.name.startsWith("projects/_/buckets/photos/objects/images/")',
    "resource.name.endsWith('.jpg')",
    f"resource.type == {OBJECT} && resource.service != 'iam.googleapis.com'",
    f"resource.type != {OBJECT} || resource.name.endsWith('jpg')",
    "!(resource.name.endsWith('.png'))",
    "resource.name.extract('objects/{folder}/') == 'images'",
    "resource.name.extract('/buckets/{name}') == 'photos/objects/images/cat.jpg'",
    "resource.name.extract('absent/{x}') == ''",
    "resource.service in ['storage.googleapis.com', 'x']",
    "request.time < timestamp('2026-11-22T00:00:00Z')",
    "request.time >= timestamp('2026-11-21T21:30:00+01:00')",
    "request.time.getHours('Europe/Berlin') == 21 && request.time.getDayOfWeek() == 6",
    "api.getAttribute('storage.googleapis.com/objectListPrefix', '').startsWith('images/')",
    "api.getAttribute('absent', 'x') == 'x'",
    "duration('1h30m') > duration('5400s') || duration('1h30m') == duration('5400s')",
    "resource.matchTag('a', 'b') || resource.type == " + OBJECT,
]
FALSE = [
    "resource.name.startsWith('projects/_/buckets/photos/objects/other/')",
    "false && resource.matchTag('a', 'b')",
    "resource.name",
    "resource.name < 3",
    "resource.nothing == 'x'",
    "destination.port == 80",
    "resource.matchTag('1/env', 'prod')",
    "request.time.getHours('Nowhere/Land') == 1",
    "timestamp('yesterday') < request.time",
    "resource.name.matches('(a+)+$')",
    "(" * 500 + "true" + ")" * 500,
    "true " * 2000,
    "'unended",
    "",
    "1 ? true : true",
]


@pytest.mark.parametrize("expression", TRUE)
def test_what_holds(expression: str) -> None:
    """Google's documented functions and operators."""
    assert holds({"title": "t", "expression": expression}, FACTS)


@pytest.mark.parametrize("expression", FALSE)
def test_what_does_not_hold(expression: str) -> None:
    """False, of the wrong kind, or not understood: it grants nothing."""
    assert not holds({"title": "t", "expression": expression}, FACTS)


def test_no_condition_holds() -> None:
    """A binding without one counts."""
    assert holds(None, FACTS) and holds({}, FACTS)


def test_what_is_not_understood_is_said(caplog: pytest.LogCaptureFixture) -> None:
    """A line of the log names the condition and what was not understood."""
    with caplog.at_level(logging.WARNING, "emulator.iam"):
        holds({"title": "by tag", "expression": "resource.matchTag('a', 'b')"}, FACTS)

    assert "by tag" in caplog.text and "matchTag" in caplog.text
