"""Status: what exists, per hour, until when."""

from datetime import UTC, datetime, timedelta

import pytest

from ops import names
from ops.cli.status import items_text
from ops.cloud import endpoints, inventory, storage
from ops.cloud.inventory import Deployed, Found
from ops.cloud.session import Session
from ops.workflows import status

UNTIL = datetime(2026, 11, 21, 16, tzinfo=UTC)
ENDPOINTS = next(kind for kind in inventory.KINDS if kind.collection == "endpoints")


def endpoint(*nodes: int) -> Found:
    """An endpoint with models deployed on so many nodes each, which expires."""
    labels = {names.LABEL_EXPIRES: names.expiry_label(UNTIL)}
    deployed = tuple(Deployed(str(n), f"model-{n}", n, None) for n in nodes)
    return Found(ENDPOINTS, "projects/p/e", "shop", labels, "", None, deployed)


def test_every_deployed_model_is_listed_with_its_price_and_its_end() -> None:
    """Two models on one endpoint are two lines, each by its nodes."""
    items = status.of_resource(endpoint(1, 2), "us-central1", UNTIL - timedelta(hours=1))

    assert [item.note for item in items] == ["model-1", "model-2"]
    assert [item.hourly.usd for item in items if item.hourly] == [1.375, 2.75]
    assert {item.until for item in items} == {UNTIL}
    assert status.usd_per_hour(items) == pytest.approx(4.125)


def test_an_endpoint_without_models_costs_nothing() -> None:
    """It is listed, and says that nothing is deployed."""
    (item,) = status.of_resource(endpoint(), "us-central1", UNTIL - timedelta(hours=1))

    assert (item.what, item.state, item.hourly) == ("endpoint", "nothing deployed", None)


@pytest.mark.parametrize(
    ("passed", "words"),
    [
        (timedelta(minutes=3), "3 min"),
        (timedelta(hours=5, minutes=9), "5 h"),
        (timedelta(days=3), "3 days"),
    ],
)
def test_an_endpoint_past_its_end_says_so(passed: timedelta, words: str) -> None:
    """The note says for how long and what to type; scripts see `expired`."""
    late = UNTIL + passed
    early, over = (
        status.of_resource(endpoint(1), "us-central1", now) for now in (UNTIL - passed, late)
    )

    assert [item.as_json()["expired"] for item in early + over] == [False, True]
    assert "expired" not in items_text(early, UNTIL - passed)
    assert f"  expired {words} ago: type ops undeploy  2026-" in items_text(over, late)


def test_rows_show_ids_and_not_full_names() -> None:
    """The text has the id; JSON keeps the whole name."""
    name = "projects/my-project/locations/us-central1/models/train-0123456789ab-01234567-1"
    item = status.Item("model", name, "", None, None, name)

    assert items_text([item], UNTIL).splitlines()[1] == "model  train-0123456789ab-01234567-1"
    assert item.as_json()["name"] == name


def test_what_exists_of_the_stack_is_listed(session: Session) -> None:
    """The stack's own endpoint and bucket, and nobody else's."""
    storage.ensure_bucket(session)
    storage.write_text(session, session.settings.bucket, "x", "12345")
    for stack in ("default", "other"):
        labels = {**session.settings.labels(), names.LABEL_STACK: stack}
        session.wait(endpoints.create(session, names.endpoint_id(stack), stack, labels), 30)

    items = status.run(session)

    assert [(item.what, item.note) for item in items] == [
        ("endpoint", "default"),
        ("bucket", "1 object, 0.0 MB"),
    ]


def test_a_region_without_a_storage_price_still_shows_the_bucket() -> None:
    """A price that is not on record is left out, not guessed, and hides nothing."""
    assert status.storage_cost(1024**3, "asia-east1") is None
    assert status.storage_cost(1024**3, "us-central1") is not None
