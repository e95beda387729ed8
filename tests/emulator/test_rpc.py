"""Requests matched and typed by the SDK's tables."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

from emulator import rpc_tables
from emulator.errors import ApiError
from emulator.rpc import Router, Types, request_body

TABLES = rpc_tables.VERTEX_FOLDER
PARENT = "projects/p/locations/us-central1"


@pytest.fixture(scope="module")
def router() -> Router:
    """All bindings of Vertex AI."""
    return Router.read(TABLES / "routes.json")


@pytest.fixture(scope="module")
def types() -> Types:
    """The message types that are kept."""
    return Types(TABLES / "types.binpb")


@pytest.mark.parametrize(
    ("folder", "package", "typed"),
    [
        (TABLES, rpc_tables.VERTEX_PACKAGE, rpc_tables.VERTEX_TYPED),
        *rpc_tables.SMALL_APIS,
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_the_tables_are_those_of_the_installed_sdk(
    folder: Path, package: str, typed: tuple[str, ...], tmp_path: Path
) -> None:
    """Derived again from the SDK, routes and types are what is committed."""
    pytest.importorskip(package, reason=f"{package} is not among the installed requirements")
    rpc_tables.write(tmp_path, package, typed)

    for name in ("routes.json", "types.binpb"):
        same = (tmp_path / name).read_bytes() == (folder / name).read_bytes()
        assert same, "Type: python -m emulator.rpc_tables"


def test_every_binding_is_claimed_by_its_own_rpc(router: Router) -> None:
    """A path made from each binding leads back to the same method: no two claim one path."""
    for row in json.loads((TABLES / "routes.json").read_text()):
        found = router.match(row["method"].upper(), _filled(row["uri"]))
        assert found is not None, row
        assert (found[0].rpc.service, found[0].rpc.name) == (row["service"], row["rpc"]), row


def _filled(uri: str) -> str:
    inner = re.sub(r"\{[^}=]+=([^}]+)\}", r"\1", uri)
    inner = re.sub(r"\{[^}]+\}", "x", inner)
    return inner.replace("**", "a/b").replace("*", "x")


def request(
    router: Router, types: Types, path: str, body: bytes, **query: str
) -> dict[str, object]:
    """The canonical request of a POST."""
    found = router.match("POST", path)
    assert found is not None
    return request_body(types, *found, query.items(), body)


def test_a_request_is_path_query_and_body_in_canonical_form(router: Router, types: Types) -> None:
    """Snake case becomes camel case, numbers and ids keep their type, system parameters go."""
    body = b'{"display_name": "x", "labels": {"a_b": "c"}, "traffic_split": {"0": 100}}'
    query = {"$alt": "json;enum-encoding=int", "endpointId": "mine"}

    found = request(router, types, f"/v1/{PARENT}/endpoints", body, **query)

    assert found == {
        "parent": PARENT,
        "endpointId": "mine",
        "endpoint": {"displayName": "x", "labels": {"a_b": "c"}, "trafficSplit": {"0": 100}},
    }


def test_unknown_fields_are_refused_in_googles_words(router: Router, types: Types) -> None:
    """In the body with the place, in the query with the parameter."""
    path = f"/v1/{PARENT}/datasets"
    with pytest.raises(ApiError) as body:
        request(router, types, path, b'{"colour": 1}')
    with pytest.raises(ApiError) as query:
        request(router, types, path, b"{}", colour="1")

    assert body.value.message == (
        "Invalid JSON payload received. Unknown name \"colour\" at 'dataset': Cannot find field."
    )
    assert body.value.details[0]["fieldViolations"][0]["field"] == "dataset"
    assert query.value.message == (
        'Invalid JSON payload received. Unknown name "colour": Cannot bind query parameter. '
        "Field 'colour' could not be found in request message."
    )


@pytest.mark.parametrize("body", [b"{", b"[1]", b"\xff"])
def test_bodies_that_are_no_such_message_are_refused(
    router: Router, types: Types, body: bytes
) -> None:
    """Broken JSON, a list, bytes that are no text."""
    with pytest.raises(ApiError) as refused:
        request(router, types, f"/v1/{PARENT}/datasets", body)

    assert refused.value.status == "INVALID_ARGUMENT"
    assert refused.value.message.startswith("Invalid JSON payload received.")


def test_enums_are_numbers_where_the_client_asks_for_them(types: Types) -> None:
    """int64 stays a string either way; an Any keeps its type."""
    pipeline = {
        "@type": "type.googleapis.com/google.cloud.aiplatform.v1.TrainingPipeline",
        "state": "PIPELINE_STATE_SUCCEEDED",
    }
    message = types.parse("google.longrunning.Operation", {"done": True, "response": pipeline})

    assert types.print(message, int_enums=True)["response"]["state"] == 4
    assert types.print(message, int_enums=False)["response"] == pipeline
    item = types.parse("google.cloud.aiplatform.v1.Dataset", {"dataItemCount": 5})
    assert types.print(item, int_enums=True) == {"dataItemCount": "5"}
