"""Metadata stores and what is in them, by plain HTTP."""

from __future__ import annotations

from urllib.parse import quote

import pytest

from tests.emulator.vertex import Body, Vertex, error


@pytest.fixture
def store(vertex: Vertex) -> str:
    """The default metadata store of a new project."""
    made = vertex.post(f"{vertex.parent}/metadataStores?metadataStoreId=default")
    name: str = made["response"]["name"]
    return name


def add(vertex: Vertex, store: str, noun: str, last: str, **more: object) -> str:
    """The name of a new context, execution or artifact."""
    name: str = vertex.post(f"{store}/{noun}s?{noun}Id={last}", dict(more))["name"]
    return name


def found(vertex: Vertex, store: str, noun: str, text: str) -> list[str]:
    """The ids that a filter lets through."""
    with_filter = vertex.call("GET", f"{store}/{noun}s?pageSize=1000&filter={text}")
    assert with_filter.status_code == 200, with_filter.text
    return [one["name"].rsplit("/", 1)[1] for one in with_filter.json().get(f"{noun}s", [])]


def test_a_store_has_the_systems_schemas_and_takes_more(vertex: Vertex, store: str) -> None:
    """A schema must be registered before it is used; the newest version is taken."""
    missing = vertex.call("POST", f"{store}/artifacts", {"schemaTitle": "my.Photo"})
    schema = {"schema": "title: my.Photo\ntype: object", "schemaType": "ARTIFACT_TYPE"}
    for version in ("0.0.9", "0.0.10"):
        vertex.post(f"{store}/metadataSchemas", {**schema, "schemaVersion": version})
    taken = vertex.call("POST", f"{store}/metadataSchemas", {**schema, "schemaVersion": "0.0.9"})

    artifact = vertex.post(f"{store}/artifacts", {"schemaTitle": "my.Photo"})

    assert error(missing)[:2] == (400, "INVALID_ARGUMENT")
    assert error(taken)[:2] == (409, "ALREADY_EXISTS")
    assert artifact["schemaVersion"] == "0.0.10"
    listed = vertex.get(f"{store}/metadataSchemas?pageSize=1000")["metadataSchemas"]
    titles = [one["schema"].splitlines()[0] for one in listed]
    assert "title: system.ExperimentRun" in titles and "title: my.Photo" in titles
    run = vertex.get(f"{store}/metadataSchemas/system-experiment-run-v0-0-1")
    assert run["schemaType"] == "CONTEXT_TYPE"


def test_contexts_contain_contexts_artifacts_and_executions(vertex: Vertex, store: str) -> None:
    """The filters that the SDK sends find them; a cycle is refused; removal undoes."""
    outer = add(vertex, store, "context", "outer", schemaTitle="system.Experiment")
    inner = add(vertex, store, "context", "inner", schemaTitle="system.ExperimentRun")
    artifact = add(vertex, store, "artifact", "photo", uri="gs://b/p")
    execution = add(vertex, store, "execution", "train", schemaTitle="system.Run")
    vertex.post(f"{outer}:addContextChildren", {"childContexts": [inner]})
    members = {"artifacts": [artifact], "executions": [execution]}
    vertex.post(f"{inner}:addContextArtifactsAndExecutions", members)

    cycle = vertex.call("POST", f"{inner}:addContextChildren", {"childContexts": [outer]})

    assert error(cycle)[:2] == (400, "INVALID_ARGUMENT")
    assert vertex.get(inner)["parentContexts"] == [outer]
    titles = '(schema_title="system.ExperimentRun" OR schema_title="system.PipelineRun")'
    wanted = f'{titles} AND parent_contexts:"{outer}"'
    assert found(vertex, store, "context", wanted) == ["inner"]
    assert found(vertex, store, "context", f'child_contexts:"{inner}"') == ["outer"]
    inside = f'schema_title="system.Run" AND in_context("{inner}")'
    assert found(vertex, store, "execution", inside) == ["train"]
    assert found(vertex, store, "artifact", f'in_context("{inner}")') == ["photo"]
    assert found(vertex, store, "artifact", f'in_context("{outer}")') == []
    vertex.post(f"{outer}:removeContextChildren", {"childContexts": [inner]})
    assert "parentContexts" not in vertex.get(inner)


@pytest.fixture
def lineage(vertex: Vertex, store: str) -> dict[str, str]:
    """Raw photos, cleaned into others, from which a model was trained."""
    names = {one: add(vertex, store, "artifact", one) for one in ("photos", "clean", "model")}
    names |= {one: add(vertex, store, "execution", one) for one in ("cleaning", "training")}
    for execution, before, after in (
        ("cleaning", "photos", "clean"),
        ("training", "clean", "model"),
    ):
        events = [
            {"artifact": names[before], "type": "INPUT"},
            {"artifact": names[after], "type": "OUTPUT"},
        ]
        vertex.post(f"{names[execution]}:addExecutionEvents", {"events": events})
    return names


def ids(graph: Body, kind: str) -> set[str]:
    """The ids of a graph's nodes."""
    return {one["name"].rsplit("/", 1)[1] for one in graph.get(kind, [])}


def test_lineage_is_followed_along_events(vertex: Vertex, lineage: dict[str, str]) -> None:
    """Whole, so many events far, without what a filter leaves out; of one execution."""
    whole = vertex.get(f"{lineage['model']}:queryArtifactLineageSubgraph")
    near = vertex.get(f"{lineage['model']}:queryArtifactLineageSubgraph?maxHops=2")
    cut = vertex.get(
        f'{lineage["model"]}:queryArtifactLineageSubgraph?filter=NOT name="{lineage["clean"]}"'
    )
    of_one = vertex.get(f"{lineage['training']}:queryExecutionInputsAndOutputs")
    negative = vertex.call("GET", f"{lineage['model']}:queryArtifactLineageSubgraph?maxHops=-1")

    assert ids(whole, "artifacts") == {"photos", "clean", "model"}
    assert ids(whole, "executions") == {"cleaning", "training"} and len(whole["events"]) == 4
    assert ids(near, "artifacts") == {"clean", "model"}
    assert ids(near, "executions") == {"training"}
    assert ids(cut, "artifacts") == {"model"}
    assert {one["type"] for one in of_one["events"]} == {"INPUT", "OUTPUT"}
    assert ids(of_one, "artifacts") == {"clean", "model"}
    assert error(negative)[:2] == (400, "INVALID_ARGUMENT")


def test_updates_by_mask_without_one_and_of_what_is_missing(vertex: Vertex, store: str) -> None:
    """A mask may name one key; without a mask what was sent counts; `allowMissing` makes it."""
    name = add(vertex, store, "execution", "train", metadata={"a": 1, "b": 2}, description="x")
    one_key = vertex.call("PATCH", f"{name}?updateMask=metadata.a", {"metadata": {"a": 5}})
    whole = vertex.call("PATCH", name, {"state": "COMPLETE"})
    new = f"{store}/executions/other"

    missing = vertex.call("PATCH", new, {"displayName": "y"})
    made = vertex.call("PATCH", f"{new}?allowMissing=true", {"displayName": "y"})

    assert one_key.json()["metadata"] == {"a": 5, "b": 2}
    assert whole.json()["state"] == "COMPLETE" and whole.json()["description"] == "x"
    assert error(missing)[:2] == (404, "NOT_FOUND")
    assert made.json()["name"] == new


def test_etags_hold(vertex: Vertex, store: str) -> None:
    """A stale one stops an update and, in Google's other status, a deletion."""
    name = add(vertex, store, "artifact", "photo")
    old = vertex.get(name)["etag"]
    present = vertex.call("PATCH", name, {"uri": "gs://b/2", "etag": old}).json()["etag"]

    update = vertex.call("PATCH", name, {"uri": "gs://b/3", "etag": old})
    deletion = vertex.call("DELETE", f"{name}?etag={quote(old, safe='')}")
    good = vertex.call("DELETE", f"{name}?etag={quote(present, safe='')}")

    assert error(update)[:2] == (409, "ABORTED")
    assert error(deletion)[:2] == (400, "FAILED_PRECONDITION")
    assert good.json()["done"]


def test_purging_counts_before_it_deletes(vertex: Vertex, store: str) -> None:
    """Without `force` a count and a sample; with it they are gone, and their links too."""
    names = [add(vertex, store, "artifact", f"photo-{number}") for number in range(3)]
    context = add(vertex, store, "context", "photos")
    vertex.post(f"{context}:addContextArtifactsAndExecutions", {"artifacts": names})
    wanted = {"filter": f'name="{names[0]}" OR name="{names[1]}"'}

    counted = vertex.post(f"{store}/artifacts:purge", wanted)["response"]
    purged = vertex.post(f"{store}/artifacts:purge", {**wanted, "force": True})["response"]

    assert counted["purgeCount"] == "2" and counted["purgeSample"] == names[:2]
    assert purged["purgeCount"] == "2"
    assert found(vertex, store, "artifact", f'in_context("{context}")') == ["photo-2"]
    without = vertex.call("POST", f"{store}/artifacts:purge", {})
    assert error(without)[:2] == (400, "INVALID_ARGUMENT")


def test_what_is_refused(vertex: Vertex, store: str) -> None:
    """Bad ids, a taken one, another store's artifact, too much metadata, a store that is not."""
    other = vertex.post(f"{vertex.parent}/metadataStores?metadataStoreId=other")["response"]["name"]
    strange = add(vertex, other, "artifact", "photo")
    context = add(vertex, store, "context", "photos")

    refusals = [
        vertex.call("POST", f"{store}/contexts?contextId=No", {}),
        vertex.call("POST", f"{store}/contexts?contextId=photos", {}),
        vertex.call(
            "POST", f"{context}:addContextArtifactsAndExecutions", {"artifacts": [strange]}
        ),
        vertex.call("POST", f"{store}/artifacts", {"metadata": {"x": "y" * 210_000}}),
        vertex.call("GET", f"{vertex.parent}/metadataStores/none/contexts"),
        vertex.call("GET", f"{store}/contexts?filter=colour=red"),
    ]

    assert [one.status_code for one in refusals] == [400, 409, 400, 400, 404, 400]
    vertex.call("DELETE", other)
    assert vertex.call("GET", strange).status_code == 404
    assert vertex.call("GET", context).status_code == 200
