"""Machines: which there are, what goes together, what they cost."""

import pytest

from ops.errors import Code, OpsError
from ops.pricing import estimate
from ops.pricing.machines import machine


def test_an_hour_on_the_default_machine_costs_what_google_says() -> None:
    """n1-standard-4 at the price that was read, fee included."""
    (cost,) = estimate.custom_training(3600, machine("n1-standard-4"), "us-central1")

    assert cost.usd == pytest.approx(0.21849885)


def test_accelerators_are_paid_beside_their_machine() -> None:
    """Two T4 for half an hour on top of the machine; an L4 is in the price of its own."""
    both = estimate.custom_training(
        1800, machine("n1-standard-8", "NVIDIA_TESLA_T4:2"), "us-central1"
    )
    own = estimate.custom_training(3600, machine("g2-standard-4"), "us-central1")

    assert estimate.total_usd(both) == pytest.approx(0.4369977 / 2 + 0.4025)
    assert estimate.total_usd(own) == pytest.approx(0.8128)


def test_a_machine_with_its_own_accelerator_says_so_to_vertex() -> None:
    """G2 is asked for with its L4."""
    assert machine("g2-standard-4").spec() == {
        "machineType": "g2-standard-4",
        "acceleratorType": "NVIDIA_L4",
        "acceleratorCount": 1,
    }
    assert machine("n1-standard-4").spec() == {"machineType": "n1-standard-4"}
    assert machine("g2-standard-4", "NVIDIA_L4").is_included


@pytest.mark.parametrize(
    ("type", "accelerator", "code", "hint"),
    [
        ("n2-standard-4", "", Code.UNKNOWN_PRICE, "Type --machine n1-standard-4"),
        ("n1-standard-4", "NVIDIA_T4", Code.UNKNOWN_PRICE, "Type --accelerator NVIDIA_TESLA_T4"),
        (
            "n1-standard-4",
            "NVIDIA_L4",
            Code.USAGE,
            "Type --machine g2-standard-4 --accelerator NVIDIA_L4",
        ),
        (
            "n1-standard-4",
            "NVIDIA_TESLA_T4:3",
            Code.USAGE,
            "Type --machine n1-standard-4 --accelerator NVIDIA_TESLA_T4",
        ),
        (
            "g2-standard-4",
            "NVIDIA_TESLA_T4",
            Code.USAGE,
            "Type --machine n1-standard-4 --accelerator NVIDIA_TESLA_T4",
        ),
    ],
)
def test_what_has_no_price_or_does_not_go_together_is_refused(
    type: str, accelerator: str, code: Code, hint: str
) -> None:
    """Each refusal has what to type."""
    with pytest.raises(OpsError) as refused:
        machine(type, accelerator)

    assert (refused.value.code, refused.value.hint) == (code, hint)


def test_another_region_has_no_price_of_machines() -> None:
    """Only us-central1 was read."""
    with pytest.raises(OpsError) as refused:
        estimate.custom_training(60, machine("n1-standard-4"), "europe-west4")

    assert refused.value.code is Code.UNKNOWN_PRICE
