"""Cloud Logging's query language, on one entry."""

from __future__ import annotations

import pytest

from emulator.errors import ApiError
from emulator.logging import filters

ENTRY = {
    "logName": "projects/p/logs/workerpool0-0",
    "resource": {"type": "ml_job", "labels": {"job_id": "12", "task_name": "workerpool0-0"}},
    "labels": {"compute.googleapis.com/zone": "us-central1-a"},
    "severity": "WARNING",
    "timestamp": "2026-01-01T00:00:05.000000Z",
    "jsonPayload": {"message": "Loss is NaN (again)", "epoch": 7, "metrics": {"loss": 0.25}},
}


@pytest.mark.parametrize(
    "text",
    [
        "",
        'resource.type="ml_job" AND resource.labels.job_id="12"',
        'resource.type = ml_job\nresource.labels.job_id = "12" -- the job',
        'labels."compute.googleapis.com/zone" = "us-central1-a"',
        "severity>=WARNING AND severity<error",
        "severity=(ERROR OR WARNING)",
        'timestamp>="2026-01-01T00:00:05Z"',
        "timestamp > 2026-01-01T01:00:00+02:00",
        "jsonPayload.epoch=7 jsonPayload.epoch>6.5",
        "jsonPayload.metrics.loss<1",
        'jsonPayload.message:"nan (AGAIN)"',
        'jsonPayload.message=~"^Loss .* NaN"',
        'jsonPayload.message!~"accuracy"',
        "jsonPayload.metrics:loss",
        'resource.type="other" OR resource.type="ml_job" AND severity="WARNING"',
        'NOT severity="ERROR"',
        '-textPayload:"x"',
        '(severity="ERROR" OR severity="WARNING") AND NOT (jsonPayload.epoch=8)',
        '"is NaN" again',
        "log_name=projects/p/logs/workerpool0-0",
    ],
)
def test_an_entry_passes(text: str) -> None:
    """Each of these is true of the entry."""
    assert filters.parse(text).test(ENTRY)


@pytest.mark.parametrize(
    "text",
    [
        'resource.labels.job_id="13"',
        "severity>WARNING",
        'timestamp>"2026-01-01T00:00:05Z"',
        'textPayload:"x"',
        "textPayload!=x",
        "jsonPayload.epoch>7",
        'jsonPayload.message=~"^loss"',
        "NOT resource.type=ml_job",
        '(severity="WARNING") AND (resource.type="x" OR resource.type="y")',
        "accuracy",
    ],
)
def test_an_entry_does_not_pass(text: str) -> None:
    """Each of these is false of the entry; a field it lacks fails every comparison."""
    assert not filters.parse(text).test(ENTRY)


@pytest.mark.parametrize(
    "text",
    [
        "resource.type=",
        '(severity="ERROR"',
        "severity=LOUD",
        'timestamp>="yesterday"',
        'jsonPayload.message=~"("',
        ")",
    ],
)
def test_what_is_no_filter_is_refused(text: str) -> None:
    """400 in Google's words, never an empty list."""
    with pytest.raises(ApiError, match="Unparseable filter") as refused:
        filters.parse(text)
    assert refused.value.status == "INVALID_ARGUMENT"


def test_job_and_time_are_known_only_where_every_entry_must_have_them() -> None:
    """They narrow the look-up; inside OR and NOT they must not."""
    both = 'resource.labels.job_id="12" timestamp>="2026-01-01T00:00:00Z"'
    found = filters.parse(both)
    assert (found.job, found.since) == ("12", "2026-01-01T00:00:00.000000Z")
    assert filters.parse('resource.labels.job_id="12" OR severity=ERROR').job == ""
    assert filters.parse('NOT resource.labels.job_id="12"').job == ""
