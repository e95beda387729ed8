"""What `ops train` and `ops deploy` refuse before any call, each message whole."""

from datetime import datetime, timedelta
from pathlib import Path

import pytest

from ops import settings
from ops.errors import Code, OpsError
from ops.workflows import deploy, deploy_price, train
from ops.workflows.train_options import Options


def at(region: str) -> settings.Settings:
    """Settings of the local target in a region."""
    return settings.read({"region": region}, {}, Path("/nonexistent"))


@pytest.mark.parametrize(
    ("region", "options", "code", "message", "hint"),
    [
        (
            "us-central1",
            Options("custom"),
            Code.USAGE,
            "--mode custom needs a model type: linear, dnn, dnn_dropout, cnn, cnn_batch_norm, "
            "transfer.",
            "Add --model-type cnn",
        ),
        (
            "us-central1",
            Options("auto"),
            Code.USAGE,
            "--mode is automl or custom. Received: auto.",
            "Type: ops train --mode automl",
        ),
        (
            "us-central1",
            Options("automl", budget_node_hours=7.5),
            Code.USAGE,
            "AutoML takes a budget of 8 to 800 node hours. Received: 7.5.",
            "Type --budget-node-hours 8",
        ),
        (
            "us-central1",
            Options("automl", budget_node_hours=801),
            Code.USAGE,
            "AutoML takes a budget of 8 to 800 node hours. Received: 801.",
            "Type --budget-node-hours 8",
        ),
        (
            "us-central1",
            Options("automl", budget_node_hours=float("nan")),
            Code.USAGE,
            "AutoML takes a budget of 8 to 800 node hours. Received: nan.",
            "Type --budget-node-hours 8",
        ),
        (
            "us-central1",
            Options("automl", max_cost_usd=20),
            Code.OVER_CAP,
            "The training can cost $27.72 (8 node hours at $3.465), more than the cap of $20.00.",
            "Type --max-cost 27.72",
        ),
        (
            "us-central1",
            Options("automl", budget_node_hours=100, max_cost_usd=50),
            Code.OVER_CAP,
            "The training can cost $346.50 (100 node hours at $3.465), more than the cap of "
            "$50.00.",
            "Type --budget-node-hours 14, or --max-cost 346.50",
        ),
        (
            "us-east1",
            Options("automl"),
            Code.REGION_WITHOUT_AUTOML,
            "Region us-east1 has no AutoML for images; us-central1 and europe-west4 have.",
            "Type --region us-central1 (data set, model and endpoint are in one region).",
        ),
        (
            "us-centrall",
            Options("automl"),
            Code.UNKNOWN_REGION,
            "'us-centrall' is not a region of Vertex AI.",
            "Type --region with one like us-central1, me-central2, me-central1.",
        ),
    ],
)
def test_a_training_is_refused(
    region: str, options: Options, code: Code, message: str, hint: str
) -> None:
    """Each refusal says what was received and what to type."""
    with pytest.raises(OpsError) as refused:
        train.check(at(region), options)

    assert (code, message, hint) == (
        refused.value.code,
        refused.value.message,
        refused.value.hint,
    )


def test_the_price_of_a_training_is_its_whole_budget() -> None:
    """Eight node hours at the dated rate, in both regions that have AutoML."""
    for region in ("us-central1", "europe-west4"):
        assert train.check(at(region), Options("automl")).usd == pytest.approx(27.72)


@pytest.mark.parametrize(
    ("text", "ttl"),
    [
        ("90m", timedelta(minutes=90)),
        ("2h", timedelta(hours=2)),
        ("30d", timedelta(days=30)),
        ("5m", timedelta(minutes=5)),
    ],
)
def test_a_time_to_live_has_a_number_and_a_unit(text: str, ttl: timedelta) -> None:
    """Minutes, hours or days, from five minutes to thirty days."""
    assert ttl == deploy.time_to_live(text)


@pytest.mark.parametrize("text", ["2", "h", "", "4m", "31d", "-2h", "1h30m", "2 h", "9" * 30 + "d"])
def test_any_other_time_to_live_is_refused(text: str) -> None:
    """Too short, too long, without unit, or nonsense: one message, with what was received."""
    with pytest.raises(OpsError) as refused:
        deploy.time_to_live(text)

    assert (
        Code.USAGE,
        f"--ttl is a number of minutes, hours or days (90m, 2h, 1d), from 5m to 30d. "
        f"Received: {text}.",
        "Type --ttl 2h",
    ) == (refused.value.code, refused.value.message, refused.value.hint)


def test_an_endpoint_over_its_cap_is_refused() -> None:
    """The whole time to live counts, not its first hour."""
    with pytest.raises(OpsError) as refused:
        deploy_price.check("us-central1", timedelta(hours=3), max_cost_usd=4)

    assert (refused.value.code, refused.value.message, refused.value.hint) == (
        Code.OVER_CAP,
        "The time to live costs $4.13 (3 hours at $1.375), more than the cap of $4.00.",
        "Type a shorter --ttl, or --max-cost 4.13",
    )


def test_the_cap_that_a_refusal_names_is_enough() -> None:
    """$4.125 is refused with $4.13, not with $4.12, which would be refused again."""
    assert deploy_price.check("us-central1", timedelta(hours=3), max_cost_usd=4.13).usd == 4.125
    assert train.check(at("us-central1"), Options("automl", max_cost_usd=27.72)).costs


def test_the_price_of_an_endpoint_is_per_hour_and_for_its_time_to_live() -> None:
    """Both figures are known before anything is made."""
    price = deploy_price.check("us-central1", timedelta(hours=2))

    assert (price.usd_per_hour, price.usd) == (1.375, 2.75)


def test_the_end_is_counted_from_now() -> None:
    """A clock that is passed in decides when two hours are over."""
    noon = datetime.fromisoformat("2026-11-21T12:00:00+00:00")

    assert datetime.fromisoformat("2026-11-21T14:00:00+00:00") == deploy.until(
        timedelta(hours=2), lambda: noon
    )
