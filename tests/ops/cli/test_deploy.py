"""`ops deploy` and `undeploy` as typed, on a local cloud whose engine trains in a blink."""

from collections.abc import Iterator
from typing import Any

import pytest

from tests.ops.life import PARENT, Life, living, told

PRICE = (
    "Google would ask: AutoML model deployed: {hours} node hours x $1.375 = ${usd} for the time to "
    "live; it goes on costing $1.375 an hour until ops undeploy (rate of 2026-09-08)\n"
    "Here: $0.00\n"
)
NOTHING = "Error: Nothing is deployed in stack default.\nType: ops deploy\n"


@pytest.fixture(scope="module")
def life(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Life]:
    """A user with a trained model."""
    with living(tmp_path_factory.mktemp("deploy")) as found:
        found.result("train")
        yield found


@pytest.fixture
def served(life: Life) -> Iterator[dict[str, Any]]:
    """The result of a deployment that ends with the test."""
    yield life.result("deploy", "--ttl", "30m")
    life.result("undeploy")


def events_of(life: Life, run: str) -> list[str]:
    """The events on record of a run, read from the bucket."""
    name = f"runs%2F{run}%2Fevents.jsonl"
    text = life.text(f"/storage/v1/b/local-project-ops-default/o/{name}?alt=media")
    return [line.partition('"event": "')[2].partition('"')[0] for line in text.splitlines()]


def test_a_deployment_shows_its_price_and_end_first_and_is_on_record(life: Life) -> None:
    """Dollars per hour, until when, then the endpoint; undeploy deletes it and says when."""
    deployed = life.run("deploy", "--ttl", "2h")
    endpoint = life.listed("endpoints")[0]
    run = endpoint["labels"]["ops-run"]
    gone = life.run("undeploy")

    until, price = told(deployed).split("\n", 1)
    assert until.startswith("Until: 20") and until.endswith(" UTC (--ttl 2h)")
    assert price == PRICE.format(hours="2", usd="2.75")
    assert deployed.out.startswith(f"Run        {run}\nEndpoint   {endpoint['name']}\n")
    assert "Cost       $0.00 here, would be $1.38 an hour on Google\n" in deployed.out
    assert set(endpoint["deployedModels"][0]) >= {"automaticResources", "model", "id"}
    assert endpoint["labels"]["ops-expires"].endswith("z")
    assert gone.out == (
        f"Undeployed {endpoint['deployedModels'][0]['model']}@1\nDeleted    {endpoint['name']}\n"
    )
    assert life.listed("endpoints") == []
    assert events_of(life, run) == ["deployed", "undeployed"]


def test_deploying_again_only_moves_the_end(life: Life, served: dict[str, Any]) -> None:
    """One endpoint, one model; the event says extended, so that its cost counts once."""
    again = life.result("deploy", "--ttl", "3h")

    endpoint = life.listed("endpoints")[0]
    assert len(life.listed("endpoints")) == len(endpoint["deployedModels"]) == 1
    assert (again["run"], again["endpoint"]) == (served["run"], served["endpoint"])
    assert again["expires"] > served["expires"]
    assert events_of(life, served["run"]) == ["deployed", "extended"]
    assert (served["extended"], again["extended"]) == (False, True)


def test_deploying_again_says_so_and_rows_stay_narrow(life: Life, served: dict[str, Any]) -> None:
    """The text begins with what is new; status and runs show ids."""
    again = life.run("deploy", "--ttl", "5m")
    rows = (life.run("status").out + life.run("runs").out).splitlines()

    assert again.out.startswith("Deployed already; now until 20")
    assert "deployed: 0.0833 node hours x $1.375 = $0.11 " in again.err
    assert served["endpoint"].rpartition("/")[2] in "\n".join(rows)
    assert max(map(len, rows)) <= 120, "\n".join(rows)


def test_a_kept_endpoint_is_used_again(life: Life, served: dict[str, Any]) -> None:
    """--keep-endpoint leaves it empty and free; the next deployment is another run on it."""
    kept = life.run("undeploy", "--keep-endpoint")
    empty = life.listed("endpoints")[0]
    again = life.result("deploy", "--ttl", "30m")

    assert kept.out == f"Undeployed {served['model']}\nKept       {served['endpoint']}\n"
    assert empty.get("deployedModels", []) == []
    assert set(empty["labels"]) == {"ops-stack", "ops-owner", "ops-dataset"}
    assert again["endpoint"] == served["endpoint"]
    assert again["run"] != served["run"]


def test_undeploying_nothing_is_fine(life: Life) -> None:
    """A repeated undeploy ends well."""
    again = life.run("undeploy")

    assert (again.code, again.out) == (0, "Nothing was deployed.\n")


def test_a_model_that_others_took_off_is_deployed_anew(life: Life, served: dict[str, Any]) -> None:
    """The record does not outlive what it speaks of."""
    deployed_model = served["deployed_model"]
    life.posted(f"/v1/{served['endpoint']}:undeployModel", {"deployedModelId": deployed_model})

    again = life.result("deploy", "--ttl", "30m")

    assert again["run"] != served["run"]
    assert [one["id"] for one in life.listed("endpoints")[-1]["deployedModels"]] == [
        again["deployed_model"]
    ]
    assert events_of(life, served["run"]) == ["deployed", "undeployed"]


@pytest.mark.parametrize(
    ("words", "code", "message"),
    [
        (("predict", "photos/0/0.png"), 4, NOTHING),
        (
            ("predict", "photos/0/0.png", "--endpoint", "7"),
            4,
            "Error: Endpoint 7 does not exist in local-project, us-central1.\nType: ops deploy\n",
        ),
        (
            ("undeploy", "--endpoint", "7"),
            4,
            "Error: Stack default has no endpoint 7; it has: none.\nType: ops status\n",
        ),
        (
            ("deploy", "--ttl", "2"),
            2,
            "Error: --ttl is a number of minutes, hours or days (90m, 2h, 1d), from 5m to 30d. "
            "Received: 2.\nType --ttl 2h\n",
        ),
        (
            ("deploy", "--ttl", "2h", "--max-cost", "1"),
            5,
            "Error: The time to live costs $2.75 (2 hours at $1.375), more than the cap of $1.00.\n"
            "Type a shorter --ttl, or --max-cost 2.75\n",
        ),
        (
            ("deploy", "--stack", "other"),
            4,
            "Error: Stack other has no model.\nType: ops train --mode automl\n",
        ),
    ],
)
def test_what_cannot_be_is_refused(
    life: Life, words: tuple[str, ...], code: int, message: str
) -> None:
    """Each refusal says what was received and what to type."""
    refused = life.run(*words)

    assert (refused.code, told(refused)) == (code, message)


def test_a_deployment_that_fails_says_why(life: Life, tmp_path_factory: Any) -> None:
    """The reason of the prediction server is in the message, nothing stays deployed."""
    assert life.gate.exists()
    with living(tmp_path_factory.mktemp("broken"), serve="python3 -c 'raise SystemExit(3)'") as bad:
        bad.result("train")
        failed = bad.run("deploy", "--ttl", "30m")
        endpoint = bad.listed("endpoints")[0]
        gone = bad.run("undeploy")

        assert failed.code == 1
        assert f"Error: The deployment {endpoint['labels']['ops-run']} failed: " in failed.err
        assert failed.err.endswith(
            "Google does not bill a model that failed to deploy.\n"
            "Type the same command again to deploy anew, or: ops undeploy\n"
        )
        assert endpoint.get("deployedModels", []) == []
        assert gone.out == f"Nothing was deployed.\nDeleted    {endpoint['name']}\n"
        assert endpoint["name"].startswith(f"{PARENT}/endpoints/")
