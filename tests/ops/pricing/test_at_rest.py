"""What a stack costs a month while nothing runs."""

import pytest

from ops.pricing import at_rest

TYPES = ["google_storage_bucket", "google_artifact_registry_repository", "google_billing_budget"]


def test_an_empty_stack_costs_next_to_nothing_and_says_what_storing_costs() -> None:
    """A gibibyte of photos is two cents a month, one of images ten."""
    cost = at_rest.of(TYPES, "us-central1")

    assert 0 < cost.usd < 0.01
    by_what = {one.what: one.usd for one in cost.stored}
    assert by_what["each GiB of photos and models"] == pytest.approx(0.02, rel=0.001)
    assert by_what["each GiB of images"] == pytest.approx(0.10)
    assert cost.unknown == ()


def test_a_price_that_is_not_known_is_said_and_not_guessed() -> None:
    """The table has no storage price for that region."""
    cost = at_rest.of(TYPES, "asia-east1")

    assert cost.stored == () and cost.now == ()
    assert cost.unknown == ("images", "photos and models")


def test_what_is_free_has_no_line() -> None:
    """A budget costs nothing."""
    assert at_rest.of(["google_billing_budget"], "us-central1").stored == ()
