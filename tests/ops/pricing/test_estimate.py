"""Prices: the dated table, and sums."""

import re

import pytest

from ops.errors import Code, OpsError
from ops.pricing import estimate, rates, regions


def test_every_rate_is_dated_and_sourced() -> None:
    """A price without a day and a source does not enter the table."""
    for rate in rates.table().values():
        assert rate.usd > 0 and rate.regions and rate.unit and rate.source
        assert re.fullmatch(r"20\d\d-\d\d-\d\d", rate.read)


def test_eight_node_hours_cost_what_google_says() -> None:
    """Eight node hours are $27.72 and a deployed node is $33 a day (price page)."""
    assert estimate.automl_training(8, "us-central1").usd == pytest.approx(27.72)
    assert estimate.automl_deployed(24, "europe-west4").usd == pytest.approx(33.0)


def test_storage_is_two_cents_a_gib_and_month() -> None:
    """A GiB for 730 hours is $0.02."""
    assert estimate.stored(1024**3, 730, "us-central1").usd == pytest.approx(0.02, rel=1e-3)


def test_an_unknown_price_is_refused() -> None:
    """Nothing is guessed: neither a SKU nor a region that is not in the table."""
    with pytest.raises(OpsError) as refused:
        estimate.automl_training(8, "us-east1")

    assert refused.value.code is Code.UNKNOWN_PRICE
    assert refused.value.message == (
        "The price of automl-image-training in us-east1 is not known "
        "(known: us-central1, europe-west4)."
    )
    with pytest.raises(OpsError, match="The price of gpu in us-central1 is not known"):
        rates.rate("gpu", "us-central1")


def test_a_cap_becomes_seconds() -> None:
    """Ten dollars at five dollars an hour are two hours; part of a second is not bought."""
    assert estimate.seconds_for(10, 5) == 7200
    assert estimate.seconds_for(1, 3601) == 0


def test_estimates_add_up() -> None:
    """Costs are summed apart from what is asked per hour."""
    whole = estimate.Estimate(
        costs=(estimate.automl_training(2, "us-central1"),),
        hourly=(estimate.automl_deployed(1, "us-central1"),) * 2,
    )

    assert whole.usd == pytest.approx(6.93)
    assert whole.usd_per_hour == pytest.approx(2.75)
    assert whole.as_json()["usd"] == 6.93


def test_an_unknown_region_is_refused() -> None:
    """The message says what was received, and the hint names regions like it."""
    with pytest.raises(OpsError) as refused:
        regions.check("us-centrall")

    assert refused.value.message == "'us-centrall' is not a region of Vertex AI."
    assert (
        refused.value.hint == "Type --region with one like us-central1, me-central2, me-central1."
    )


def test_a_region_without_automl_is_refused() -> None:
    """AutoML for images is in two regions; elsewhere the message names them."""
    regions.check_automl("europe-west4")
    with pytest.raises(OpsError) as refused:
        regions.check_automl("us-east1")

    assert refused.value.code is Code.REGION_WITHOUT_AUTOML
    assert refused.value.message == (
        "Region us-east1 has no AutoML for images; us-central1 and europe-west4 have."
    )
    assert refused.value.hint == (
        "Type --region us-central1 (data set, model and endpoint are in one region)."
    )
