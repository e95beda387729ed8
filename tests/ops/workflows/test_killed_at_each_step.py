"""`ops` is killed at requests of a training, a deployment and an undeployment, and repeated.

A proxy kills it at a request that changes something: after it arrived, before its answer came
back. Three of them at random in the suite, all of them with OPS_TEST_CUTS=0. The judge asks the
cloud, not `ops`.
"""

from collections.abc import Iterator
from functools import partial
from typing import Any

import pytest

from tests.local_cloud import wait_until
from tests.ops.cutting_proxy import CuttingProxy, cutting_proxy
from tests.ops.life import Life, ended, living
from tests.sampled import sample

Words = tuple[str, ...]
KILLED = -9
LOCKS = "/storage/v1/b/local-project-ops-default/o?prefix=locks/"


@pytest.fixture(scope="module")
def life(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Life]:
    """A user with photos imported."""
    with living(tmp_path_factory.mktemp("killed")) as found:
        yield found


@pytest.fixture(scope="module")
def proxy(life: Life) -> Iterator[CuttingProxy]:
    """What stands between the killed command and the cloud."""
    with cutting_proxy(life.cloud.data, life.home / "proxied") as found:
        yield found


def steps(life: Life, proxy: CuttingProxy, *words: str) -> list[str]:
    """The requests of an undisturbed command that change something."""
    proxy.forget()
    life.through(life.home / "proxied").result(*words)
    return list(proxy.seen)


def kill_at(life: Life, proxy: CuttingProxy, at: int, arrives: bool, words: Words) -> int:
    """How the command ended that was killed around its request number `at`."""
    proxy.forget()
    process = life.through(life.home / "proxied").begin(*words)
    proxy.victim, proxy.at, proxy.arrives = process.pid, at, arrives
    return ended(process).code


def cuts(count: int) -> list[tuple[int, bool]]:
    """Before the first request arrives, and after each arrived: the cloud can be in no other state.

    (A request that did not arrive leaves the cloud as the one before it did.)
    """
    return sample([(1, False), *((number, True) for number in range(1, count + 1))])


def labelled(found: list[dict[str, Any]], run: str) -> list[dict[str, Any]]:
    """The resources that carry a run's label."""
    return [one for one in found if one.get("labels", {}).get("ops-run") == run]


def test_a_training_killed_anywhere_is_trained_once(life: Life, proxy: CuttingProxy) -> None:
    """The repeated command ends well; each run has one pipeline and one model."""
    words = ("train", "--again")
    known = steps(life, proxy, *words)
    print("\n".join(known))

    for at, arrives in cuts(len(known)):
        code = kill_at(life, proxy, at, arrives, words)
        done = life.result("train")

        assert code == KILLED, (at, arrives)
        assert done["state"] == "succeeded"
        assert len(labelled(life.listed("trainingPipelines"), done["run"])) == 1
        assert len(labelled(life.versions(), done["run"])) == 1
    assert any("trainingPipelines" in step for step in known)
    assert len(life.listed("trainingPipelines")) == len(life.versions())
    assert "items" not in life.asked(LOCKS)


def deployed_once(life: Life, run: str, endpoint: str) -> None:
    """One endpoint, one model on it, one deployment ever."""
    endpoints = life.listed("endpoints")
    assert [one["name"] for one in endpoints] == [endpoint]
    assert endpoints[0]["labels"]["ops-run"] == run
    assert len(endpoints[0]["deployedModels"]) == 1
    operations = life.asked(f"/v1/{endpoint}/operations")["operations"]
    kinds = [one["metadata"]["@type"].rpartition(".")[2] for one in operations]
    assert kinds.count("DeployModelOperationMetadata") == 1


def clear(life: Life) -> None:
    """Take everything off its endpoint behind the back of `ops`, and delete the endpoint."""
    for endpoint in life.listed("endpoints"):
        for model in endpoint.get("deployedModels", []):
            life.posted(f"/v1/{endpoint['name']}:undeployModel", {"deployedModelId": model["id"]})
        wait_until(partial(is_empty, life, endpoint["name"]))
        life.deleted(f"/v1/{endpoint['name']}")
    wait_until(lambda: not life.listed("endpoints"))


def is_empty(life: Life, endpoint: str) -> bool:
    """Whether no model is on the endpoint."""
    return not life.asked(f"/v1/{endpoint}").get("deployedModels")


def test_a_deployment_killed_anywhere_is_deployed_once(life: Life, proxy: CuttingProxy) -> None:
    """The repeated command finds endpoint, operation or model, and never makes a second."""
    life.result("train")
    words = ("deploy", "--ttl", "30m")
    life.result(*words)
    clear(life)
    known = steps(life, proxy, *words)
    print("\n".join(known))

    for at, arrives in cuts(len(known)):
        clear(life)
        code = kill_at(life, proxy, at, arrives, words)
        done = life.result(*words)

        assert code == KILLED, (at, arrives)
        deployed_once(life, done["run"], done["endpoint"])
    life.result("undeploy")
    assert life.listed("endpoints") == []


def test_an_undeployment_killed_anywhere_is_on_record_once(life: Life, proxy: CuttingProxy) -> None:
    """Whatever was cut, the repeat leaves nothing deployed and one undeployed event."""
    life.result("train")
    life.result("deploy", "--ttl", "30m")
    known = steps(life, proxy, "undeploy")
    print("\n".join(known))

    for at, arrives in cuts(len(known)):
        run = life.result("deploy", "--ttl", "30m")["run"]
        code = kill_at(life, proxy, at, arrives, ("undeploy",))
        life.result("undeploy")

        assert code == KILLED, (at, arrives)
        assert life.listed("endpoints") == []
        assert undeployed(life, run) == 1
        assert '"state": "ended"' in recorded(life, run, "result.json")


def undeployed(life: Life, run: str) -> int:
    """How often the record says that a run's model was taken off."""
    return recorded(life, run, "events.jsonl").count('"event": "undeployed"')


def recorded(life: Life, run: str, file: str) -> str:
    """A file of a run, read from the bucket."""
    return life.text(f"/storage/v1/b/local-project-ops-default/o/runs%2F{run}%2F{file}?alt=media")
