"""Versions of datasets: a copy that outlives changes, and the way back to it."""

from __future__ import annotations

from uuid import uuid4

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


def test_a_dataset_goes_back_to_its_version(vertex: Vertex, bucket: str) -> None:
    """Photos and labels that came since are gone; ids, labels and ml_use are what they were."""
    dataset = vertex.filled_dataset(bucket)
    before = annotated(vertex, dataset)
    version = begin(vertex, dataset)
    rows = [f"gs://{bucket}/cat/0.png,dog", f"gs://{bucket}/new.png,bird"]
    vertex.upload(bucket, {"new.png": photo(5000), "more.csv": "\n".join(rows).encode()})
    vertex.done(vertex.begin_import(dataset, f"gs://{bucket}/more.csv"))
    changed = annotated(vertex, dataset)

    operation = vertex.done(vertex.call("GET", f"{version['name']}:restore").json())

    assert operation["response"]["name"] == version["name"]
    assert len(changed) == len(before) + 1
    assert annotated(vertex, dataset) == before
    pipeline = vertex.trained(vertex.begin_training(dataset))
    assert pipeline["state"] == "PIPELINE_STATE_SUCCEEDED", pipeline


def test_a_version_keeps_the_bytes_of_its_photos(vertex: Vertex, bucket: str) -> None:
    """Restored after every object is gone, the dataset trains; deleted, it is in no list."""
    dataset = vertex.filled_dataset(bucket)
    version = begin(vertex, dataset)
    vertex.done(vertex.call("GET", f"{version['name']}:restore").json())

    listed = vertex.get(f"{dataset}/datasetVersions")["datasetVersions"]
    deleted = vertex.call("DELETE", version["name"]).json()

    assert [one["name"] for one in listed] == [version["name"]]
    assert deleted["done"]
    assert vertex.get(f"{dataset}/datasetVersions") == {}
    assert vertex.get(dataset)["dataItemCount"] == "24"


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
