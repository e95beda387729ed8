"""`ops deploy` is killed between deploying and the end of its check, and typed again."""

from collections.abc import Iterator
from typing import Any

import pytest

from tests.ops.cutting_proxy import CuttingProxy, cutting_proxy
from tests.ops.life import Life, ended, living
from tests.ops.references import leave_reference, read
from tests.sampled import sample

KILLED, SERVED_DIFFERS = -9, 10
WORDS = ("deploy", "--ttl", "30m")


@pytest.fixture(scope="module")
def life(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Life]:
    """A user with a trained model."""
    with living(tmp_path_factory.mktemp("check-killed")) as found:
        found.result("train")
        yield found


@pytest.fixture(scope="module")
def proxy(life: Life) -> Iterator[CuttingProxy]:
    """What stands between the killed command and the cloud."""
    with cutting_proxy(life.cloud.data, life.home / "proxied") as found:
        yield found


def kill_at(life: Life, proxy: CuttingProxy, at: int) -> None:
    """Type the command and kill it once its request number `at` arrived."""
    proxy.forget()
    process = life.through(life.home / "proxied").begin(*WORDS)
    proxy.victim, proxy.at, proxy.arrives = process.pid, at, True
    assert ended(process).code == KILLED


def events_of(life: Life, run: str) -> list[str]:
    """The events on record of a run."""
    lines = read(life, f"runs/{run}/events.jsonl").decode().splitlines()
    return [line.partition('"event": "')[2].partition('"')[0] for line in lines]


def from_the_check_on(life: Life, proxy: CuttingProxy) -> tuple[int, int]:
    """Of an undisturbed command: the numbers of the request that says deployed, and of the last.

    Predictions change nothing and are not counted.
    """
    proxy.forget()
    life.through(life.home / "proxied").run(*WORDS)
    seen = list(proxy.seen)
    life.result("undeploy")
    return next(n for n, step in enumerate(seen, 1) if "events.jsonl" in step), len(seen)


def last_deployment(life: Life) -> dict[str, Any]:
    """The newest deployment on record."""
    return dict([one for one in life.result("runs")["runs"] if one["kind"] == "deploy"][-1])


def test_a_deployment_killed_before_its_check_is_checked_when_typed_again(
    life: Life, proxy: CuttingProxy
) -> None:
    """Served once, checked once, whichever request of the check was the last."""
    leave_reference(life, life.result("evaluate")["run"])
    first, last = from_the_check_on(life, proxy)

    for at in sample(range(first, last + 1)):
        kill_at(life, proxy, at)
        done = life.result(*WORDS)

        assert done["check"]["state"] == "passed"
        recorded = events_of(life, done["run"])
        assert (recorded.count("deployed"), recorded.count("checked")) == (1, 1), (at, recorded)
        assert len(life.listed("endpoints")) == 1
        life.result("undeploy")


def test_a_refusal_that_was_killed_is_finished_when_typed_again(
    life: Life, proxy: CuttingProxy
) -> None:
    """Nothing stays served; taken off once, refused again, and on record as failed."""
    leave_reference(life, life.result("evaluate")["run"], turned=True)
    first, last = from_the_check_on(life, proxy)

    for at in sample(range(first, last + 1)):
        kill_at(life, proxy, at)
        killed = last_deployment(life)
        again = life.run(*WORDS)

        assert again.code == SERVED_DIFFERS, (at, again.err)
        assert life.listed("endpoints") == []
        assert last_deployment(life)["state"] == "failed"
        if killed["state"] == "unfinished":
            recorded = [one for one in events_of(life, killed["run"]) if one != "extended"]
            assert recorded == ["deployed", "checked", "undeployed"], (at, recorded)
