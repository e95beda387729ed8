"""Schedules: when a cron text is due, and pipeline jobs that begin by the clock."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import pytest

from emulator.aiplatform import cron
from emulator.clock import SteppedClock
from emulator.cloud import Cloud
from tests.emulator.pipelines import Pipeline
from tests.local_cloud import wait_until

if TYPE_CHECKING:
    from starlette.testclient import TestClient

Body = dict[str, Any]
PARENT = "projects/test-project/locations/us-central1"


@pytest.mark.parametrize(
    ("text", "after", "due"),
    [
        ("*/15 * * * *", "2026-01-01T00:07:00", "2026-01-01T00:15:00"),
        ("0 9 * * MON-FRI", "2026-01-02T09:00:00", "2026-01-05T09:00:00"),
        ("30 6 1,15 * *", "2026-01-01T07:00:00", "2026-01-15T06:30:00"),
        ("0 0 13 * 5", "2026-02-01T00:00:00", "2026-02-06T00:00:00"),
        ("0 0 29 2 *", "2026-01-01T00:00:00", "2028-02-29T00:00:00"),
        ("0 0 * * 7", "2026-01-01T00:00:00", "2026-01-04T00:00:00"),
        ("@monthly", "2026-01-31T12:00:00", "2026-02-01T00:00:00"),
        ("TZ=America/New_York 0 9 * * *", "2026-01-01T00:00:00", "2026-01-01T14:00:00"),
        # 8 March 2026: the clocks of New York go from 2 to 3; 1 November: from 2 to 1.
        ("CRON_TZ=America/New_York 30 2 * * *", "2026-03-08T00:00:00", "2026-03-09T06:30:00"),
        ("CRON_TZ=America/New_York 30 1 * * *", "2026-11-01T00:00:00", "2026-11-01T05:30:00"),
        ("CRON_TZ=America/New_York 30 1 * * *", "2026-11-01T05:30:00", "2026-11-02T06:30:00"),
    ],
)
def test_a_cron_text_is_next_due(text: str, after: str, due: str) -> None:
    """Worked out by hand, with the calendar of the zone."""
    moment = datetime.fromisoformat(after).replace(tzinfo=UTC)

    assert cron.parse(text).next_after(moment) == datetime.fromisoformat(due).replace(tzinfo=UTC)


def test_a_day_that_never_comes_is_never_due() -> None:
    """The 30th of February."""
    assert cron.parse("0 0 30 2 *").next_after(datetime(2026, 1, 1, tzinfo=UTC)) is None


@pytest.mark.parametrize(
    "text",
    [
        "",
        "* * * *",
        "60 * * * *",
        "* * * * FUN",
        "5-1 * * * *",
        "*/0 * * * *",
        "TZ=No/Where 0 0 * * *",
    ],
)
def test_what_is_no_cron_text_is_refused(text: str) -> None:
    """ValueError, with the part that is wrong."""
    with pytest.raises(ValueError):
        cron.parse(text)


class Schedules:
    """Schedules of a cloud on the stepped clock, over HTTP."""

    def __init__(self, http: TestClient, clock: SteppedClock) -> None:
        self._http, self.clock = http, clock
        http.post("/storage/v1/b?project=test-project", json={"name": "root-bucket"})

    def reset(self) -> None:
        """An empty cloud, with the bucket again."""
        self._http.post("/_emulator/reset").raise_for_status()
        self._http.post("/storage/v1/b?project=test-project", json={"name": "root-bucket"})

    def body(self, **more: Any) -> Body:
        """A schedule of every ten minutes."""
        pipeline = Pipeline()
        pipeline.step("one", image="nobody/knows")
        request = {"parent": PARENT, "pipelineJob": pipeline.job("root-bucket")}
        return {
            "displayName": "often", "cron": "*/10 * * * *", "maxConcurrentRunCount": "1",
            "createPipelineJobRequest": request, **more,
        }  # fmt: skip

    def call(self, method: str, path: str, body: Any = None) -> Body:
        """What a request answers."""
        answer: Body = self._http.request(method, f"/v1/{path}", json=body).json()
        return answer

    def create(self, **more: Any) -> Body:
        """A new schedule."""
        return self.call("POST", f"{PARENT}/schedules", self.body(**more))

    def jobs(self) -> list[Body]:
        """The pipeline jobs that have begun."""
        found: list[Body] = self.call("GET", f"{PARENT}/pipelineJobs").get("pipelineJobs", [])
        return found

    def runs(self, name: str) -> int:
        """How often a schedule has begun one."""
        return int(self.call("GET", name).get("startedRunCount", 0))

    def pass_time(self, name: str, seconds: float, runs: int) -> None:
        """The clock moves; returns once the schedule has begun so many runs."""
        self.clock.advance(seconds)
        wait_until(lambda: self.runs(name) == runs, 10)


@pytest.fixture
def schedules(local: Cloud, local_http: TestClient, clock: SteppedClock) -> Schedules:
    """An empty project on the stepped clock."""
    assert local.clock is clock
    return Schedules(local_http, clock)


def test_jobs_begin_by_the_clock_until_enough_have(schedules: Schedules) -> None:
    """At each tenth minute one, and after two the schedule is completed."""
    schedule = schedules.create(maxRunCount="2")
    assert (schedule["state"], schedule["nextRunTime"]) == ("ACTIVE", "2026-01-01T00:10:00.000000Z")
    name = schedule["name"]

    schedules.pass_time(name, 601, 1)
    (job,) = schedules.jobs()
    once = schedules.call("GET", name)
    schedules.pass_time(name, 600, 2)

    assert job["scheduleName"] == name
    assert once["nextRunTime"] == "2026-01-01T00:20:00.000000Z"
    assert once["lastScheduledRunResponse"]["scheduledRunTime"] == schedule["nextRunTime"]
    ended = schedules.call("GET", name)
    assert (ended["state"], len(schedules.jobs())) == ("COMPLETED", 2)
    assert "nextRunTime" not in ended
    refused = schedules.call("POST", f"{name}:pause")
    assert refused["error"]["status"] == "FAILED_PRECONDITION"


def test_a_paused_schedule_begins_nothing(schedules: Schedules) -> None:
    """Resumed, it goes on from then; with catchUp the missed runs come first."""
    name = schedules.create()["name"]
    schedules.call("POST", f"{name}:pause")
    schedules.clock.advance(3600)
    assert schedules.call("GET", name)["state"] == "PAUSED"
    schedules.call("POST", f"{name}:resume")
    plain = schedules.call("GET", name)
    schedules.call("POST", f"{name}:pause")
    schedules.clock.advance(1800)

    schedules.call("POST", f"{name}:resume", {"catchUp": True})
    wait_until(lambda: schedules.runs(name) == 3, 10)

    assert plain["nextRunTime"] == "2026-01-01T01:10:00.000000Z"
    assert schedules.call("GET", name)["nextRunTime"] == "2026-01-01T01:40:00.000000Z"


def test_runs_that_no_server_was_there_for_are_one(schedules: Schedules) -> None:
    """Three are due at once; one begins, and the next is in time."""
    name = schedules.create()["name"]

    schedules.pass_time(name, 1801, 1)

    assert schedules.call("GET", name)["nextRunTime"] == "2026-01-01T00:40:00.000000Z"


def test_schedules_go_on_after_a_reset(schedules: Schedules) -> None:
    """What was scheduled is gone, and what is scheduled then begins."""
    schedules.create()
    schedules.reset()
    assert schedules.call("GET", f"{PARENT}/schedules") == {}

    schedules.pass_time(schedules.create()["name"], 601, 1)

    assert len(schedules.jobs()) == 1


def test_no_more_runs_go_on_than_may(schedules: Schedules) -> None:
    """Where one may, the second is skipped; with queueing it waits until the first has ended."""
    skipping = schedules.create(maxConcurrentActiveRunCount="1")["name"]
    schedules.pass_time(skipping, 601, 1)
    schedules.clock.advance(5)  # its image is still being looked for
    before = [job["state"] for job in schedules.jobs()]
    schedules.call("POST", f"{schedules.jobs()[0]['name']}:cancel")
    wait_until(lambda: schedules.jobs()[0]["state"] == "PIPELINE_STATE_CANCELLED", 10)
    queueing = schedules.create(maxConcurrentActiveRunCount="1", allowQueueing=True)["name"]

    schedules.pass_time(queueing, 600, 1)

    assert before == ["PIPELINE_STATE_RUNNING"]
    assert schedules.runs(skipping) == 2


def test_schedules_are_changed_listed_and_deleted(schedules: Schedules) -> None:
    """A new cron text plans the next run anew; what is required cannot be unset."""
    name = schedules.create()["name"]

    changed = schedules.call("PATCH", f"{name}?updateMask=cron", {"cron": "0 12 * * *"})
    unset = schedules.call("PATCH", f"{name}?updateMask=displayName", {})

    assert changed["nextRunTime"] == "2026-01-01T12:00:00.000000Z"
    assert unset["error"]["status"] == "INVALID_ARGUMENT"
    listed = schedules.call("GET", f"{PARENT}/schedules")["schedules"]
    assert [one["name"] for one in listed] == [name]
    assert schedules.call("DELETE", name)["done"]
    assert schedules.call("GET", name)["error"]["code"] == 404


@pytest.mark.parametrize(
    ("change", "code", "message"),
    [
        ({"displayName": ""}, 400, "schedule.display_name; Message: Required"),
        ({"cron": "never"}, 400, "schedule.cron; Message: A cron schedule has five fields"),
        ({"createPipelineJobRequest": {"parent": "elsewhere"}}, 400, "request.parent"),
        ({"startTime": "2026-02-01T00:00:00Z", "endTime": "2026-01-01T00:00:00Z"}, 400, "end_time"),
        ({"endTime": "2025-12-31T00:00:00Z"}, 400, "end_time; Message: Must be in the future"),
    ],
)
def test_what_google_would_refuse_is_refused(
    schedules: Schedules, change: Body, code: int, message: str
) -> None:
    """With the field and what is wrong with it."""
    answer = schedules.create(**change)

    assert answer["error"]["code"] == code
    assert message in answer["error"]["message"]
