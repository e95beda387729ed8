"""Versions of datasets: a copy that outlives changes, and the way back to it."""

from __future__ import annotations

from uuid import uuid4

import httpx

from tests.emulator.vertex import Body, Vertex, error, photo


def begin(vertex: Vertex, dataset: str, name: str = "first") -> Body:
    """The response of a version's creation."""
    operation = vertex.post(f"{dataset}/datasetVersions", {"displayName": name})
    response: Body = vertex.done(operation)["response"]
    return response


def annotated(vertex: Vertex, dataset: str) -> dict[str, list[str]]:
    """The labels of each data item by its id."""
    found = {}
    for item in vertex.get(f"{dataset}/dataItems")["dataItems"]:
        annotations = vertex.get(f"{item['name']}/annotations").get("annotations", [])
        labels = [one["payload"]["displayName"] for one in annotations]
        found[item["name"].rsplit("/", 1)[1]] = sorted(labels)
    return found


def test_a_dataset_goes_back_and_forth_between_its_versions(vertex: Vertex, bucket: str) -> None:
    """Ids and labels are what they were; a version keeps the bytes of photos that are gone."""
    dataset = vertex.filled_dataset(bucket)
    before = annotated(vertex, dataset)
    first = begin(vertex, dataset)
    row = f"training,gs://{bucket}/new.png,dog"
    vertex.upload(bucket, {"new.png": photo(5000), "more.csv": row.encode()})
    vertex.done(vertex.begin_import(dataset, f"gs://{bucket}/more.csv"))
    after = annotated(vertex, dataset)
    second = begin(vertex, dataset, "second")

    vertex.done(vertex.call("GET", f"{first['name']}:restore").json())
    httpx.delete(f"{vertex.url}/storage/v1/b/{bucket}/o/new.png").raise_for_status()
    back = annotated(vertex, dataset)
    operation = vertex.done(vertex.call("GET", f"{second['name']}:restore").json())

    assert operation["response"]["name"] == second["name"]
    assert len(after) == len(before) + 1
    assert back == before
    assert annotated(vertex, dataset) == after
    pipeline = vertex.trained(vertex.begin_training(dataset))
    assert pipeline["state"] == "PIPELINE_STATE_SUCCEEDED", pipeline
    listed = vertex.get(f"{dataset}/datasetVersions?orderBy=create_time")["datasetVersions"]
    assert [one["displayName"] for one in listed] == ["first", "second"]
    assert vertex.call("DELETE", first["name"]).json()["done"]
    assert error(vertex.call("GET", first["name"]))[0] == 404


def test_a_version_is_renamed_by_its_etag(vertex: Vertex, bucket: str) -> None:
    """The display name changes; an old etag is refused; a deleted dataset takes its versions."""
    dataset = vertex.filled_dataset(bucket)
    version = begin(vertex, dataset)
    path = f"{version['name']}?updateMask=displayName"

    renamed = vertex.call("PATCH", path, {"displayName": "second"}).json()
    stale = vertex.call("PATCH", path, {"displayName": "third", "etag": version["etag"]})
    vertex.call("DELETE", dataset)

    assert renamed["displayName"] == "second"
    assert error(stale)[1] == "ABORTED"
    assert error(vertex.call("GET", version["name"]))[0] == 404


def test_what_is_not_there_is_404(vertex: Vertex) -> None:
    """A version of no dataset, one that never was, and a saved query."""
    dataset = vertex.dataset()
    missing = f"{vertex.parent}/datasets/{uuid4().int % 10**18}"

    answers = [
        vertex.call("POST", f"{missing}/datasetVersions", {}),
        vertex.call("GET", f"{dataset}/datasetVersions/1:restore"),
        vertex.call("DELETE", f"{dataset}/savedQueries/1"),
    ]

    assert [error(answer)[0] for answer in answers] == [404] * 3
    assert vertex.get(f"{dataset}/savedQueries") == {}
