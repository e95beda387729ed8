"""Use, metered as Google would bill it."""

import pytest

from emulator import metering
from emulator.clock import SteppedClock
from emulator.cloud import Cloud

ENDPOINT = "projects/p/locations/us-central1/endpoints/1/deployedModels/2"
AUTOML = {"automaticResources": {"minReplicaCount": 1}}


def test_a_deployment_is_billed_by_the_time_it_is_there(local: Cloud, clock: SteppedClock) -> None:
    """Two hours at $1.375; it grows while it goes on, and ends once."""
    metering.begin_deployment(local, ENDPOINT, {"labels": {"ops-run": "r"}}, AUTOML)
    clock.advance(3600)
    (going,) = metering.usage_rows(local)
    clock.advance(3600)
    metering.end_deployment(local, ENDPOINT)
    clock.advance(3600)
    metering.end_deployment(local, ENDPOINT)

    (ended,) = metering.usage_rows(local)
    assert going["endTime"] is None and going["usd"] == pytest.approx(1.375)
    assert ended["nodeHours"] == pytest.approx(2) and ended["usd"] == pytest.approx(2.75)
    assert ended["labels"] == {"ops-run": "r"}


def test_every_node_of_a_deployment_is_billed(local: Cloud, clock: SteppedClock) -> None:
    """Three nodes for an hour are three node hours."""
    metering.begin_deployment(local, ENDPOINT, {}, {"automaticResources": {"minReplicaCount": 3}})
    clock.advance(3600)

    (row,) = metering.usage_rows(local)
    assert row["nodeHours"] == pytest.approx(3)


def test_a_training_is_billed_by_its_node_hours(local: Cloud) -> None:
    """Eight node hours in the cloud are $27.72, one for a device is $18, and never twice."""
    for name, is_mobile, node_hours in (("a", False, 8.0), ("b", True, 1.0), ("a", False, 8.0)):
        pipeline = {"name": name, "createTime": "2026-01-01T00:00:00.000000Z"}
        metering.record_training(local, pipeline, is_mobile=is_mobile, node_hours=node_hours)

    rows = metering.usage_rows(local)
    assert [(row["resource"], row["usd"]) for row in rows] == [("a", 27.72), ("b", 18.0)]


def test_a_custom_model_is_billed_by_its_machines_and_accelerators(
    local: Cloud, clock: SteppedClock
) -> None:
    """Two nodes for an hour, each with one T4, are two lines that both end."""
    machine = {"machineType": "n1-standard-4", "acceleratorType": "NVIDIA_TESLA_T4"}
    resources = {"machineSpec": machine, "minReplicaCount": 2, "maxReplicaCount": 2}
    metering.begin_deployment(local, ENDPOINT, {}, {"dedicatedResources": resources})
    clock.advance(3600)
    metering.end_deployment(local, ENDPOINT)

    nodes, accelerators = metering.usage_rows(local)
    assert nodes["usd"] == pytest.approx(2 * 0.219)
    assert accelerators["usd"] == pytest.approx(2 * 0.402)
    assert None not in (nodes["endTime"], accelerators["endTime"])
