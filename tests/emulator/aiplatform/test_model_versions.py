"""Versions of a model and their aliases, over HTTP and through Google's own SDK."""

from __future__ import annotations

from typing import Any

import pytest

from tests.emulator.vertex import Body, Vertex, error

IMAGE = "us-docker.pkg.dev/p/r/by-heart:1"


def upload(vertex: Vertex, parent: str = "", **more: Any) -> Body:
    """The response of an upload: of a new model, or of a version of `parent`."""
    body = {"displayName": "m", "containerSpec": {"imageUri": IMAGE}, **more}
    request: Body = {"model": body, **({"parentModel": parent} if parent else {})}
    operation = vertex.done(vertex.post(f"{vertex.parent}/models:upload", request))
    response: Body = operation["response"]
    return response


def three_versions(vertex: Vertex) -> str:
    """The name of a model with three versions; `default` is the first, `newest` the third."""
    name = str(upload(vertex, labels={"run": "one"})["model"])
    upload(vertex, name, labels={"run": "two"}, description="better")
    upload(vertex, name, versionAliases=["newest"], displayName="third")
    return name


def versions(vertex: Vertex, name: str, query: str = "") -> list[tuple[str, list[str]]]:
    """Number and aliases of each version, as listed."""
    found = vertex.get(f"{name}:listVersions{query}").get("models", [])
    return [(one["versionId"], one.get("versionAliases", [])) for one in found]


def test_an_uploaded_model_has_what_google_gives_a_custom_one(vertex: Vertex) -> None:
    """The client's id, version 1 as default, a source, dedicated resources and an export format."""
    request = {
        "modelId": "shoes",
        "model": {"displayName": "m", "containerSpec": {"imageUri": IMAGE}},
    }
    operation = vertex.done(vertex.post(f"{vertex.parent}/models:upload", request))

    model = vertex.get(f"{vertex.parent}/models/shoes")
    assert operation["response"]["modelVersionId"] == "1"
    assert (model["versionId"], model["versionAliases"]) == ("1", ["default"])
    assert model["modelSourceInfo"] == {"sourceType": "CUSTOM"}
    assert model["supportedDeploymentResourcesTypes"] == ["DEDICATED_RESOURCES"]
    assert model["supportedExportFormats"][0]["id"] == "custom-trained"
    again = vertex.call("POST", f"{vertex.parent}/models:upload", request)
    assert error(again)[:2] == (409, "ALREADY_EXISTS")


@pytest.mark.parametrize(
    ("request_body", "words"),
    [
        ({"modelId": "7up"}, "model_id must match"),
        ({"model": {"displayName": "m"}}, "model.container_spec.image_uri"),
        ({"model": {"containerSpec": {"imageUri": IMAGE}}}, "model.display_name"),
        ({"modelId": "a", "parentModel": "PARENT/models/b"}, "Only one of"),
        ({"model": {"versionAliases": ["2"]}}, "Version aliases must match"),
    ],
)
def test_uploads_that_google_refuses_are_refused(
    vertex: Vertex, request_body: Body, words: str
) -> None:
    """Ids, aliases and required fields are judged before anything is made."""
    fine = {"displayName": "m", "containerSpec": {"imageUri": IMAGE}}
    sent = request_body.get("model", {})
    model = {**fine, **sent} if "versionAliases" in sent or not sent else sent
    request = {**request_body, "model": model}
    if "parentModel" in request:
        request["parentModel"] = request["parentModel"].replace("PARENT", vertex.parent)

    code, status, message = error(vertex.call("POST", f"{vertex.parent}/models:upload", request))

    assert (code, status) == (400, "INVALID_ARGUMENT") and words in message
    assert "models" not in vertex.get(f"{vertex.parent}/models")


def test_versions_are_found_by_number_and_alias(vertex: Vertex) -> None:
    """Each has its own labels and description; the plain name means the default."""
    name = three_versions(vertex)

    assert versions(vertex, name) == [("1", ["default"]), ("2", []), ("3", ["newest"])]
    assert vertex.get(name)["versionId"] == "1"
    assert vertex.get(f"{name}@newest")["displayName"] == "third"
    second = vertex.get(f"{name}@2")
    assert (second["labels"], second["description"]) == ({"run": "two"}, "better")
    assert vertex.call("GET", f"{name}@4").status_code == 404
    assert vertex.call("GET", f"{name}@gone").status_code == 404
    listed = vertex.get(f"{vertex.parent}/models")["models"]
    assert [(one["name"], one["versionId"]) for one in listed] == [(name, "1")]


def test_versions_are_filtered_ordered_and_paged(vertex: Vertex) -> None:
    """By label, newest first, and one at a time without a loss."""
    name = three_versions(vertex)

    assert versions(vertex, name, "?filter=labels.run=two") == [("2", [])]
    falling = versions(vertex, name, "?orderBy=create_time%20desc")
    assert [number for number, _ in falling] == ["3", "2", "1"]
    seen, token = [], ""
    for _ in range(3):
        page = vertex.get(f"{name}:listVersions?pageSize=1&pageToken={token}")
        seen += [one["versionId"] for one in page["models"]]
        token = page.get("nextPageToken", "")
    assert (seen, token) == (["1", "2", "3"], "")


def test_an_alias_moves_and_can_be_taken_off(vertex: Vertex) -> None:
    """It is on one version at a time; `default` moves too, but never goes."""
    name = three_versions(vertex)

    def merge(version: str, *aliases: str) -> Any:
        body = {"versionAliases": aliases}
        return vertex.call("POST", f"{name}@{version}:mergeVersionAliases", body)

    assert merge("2", "default", "newest").json()["versionAliases"] == ["default", "newest"]
    assert versions(vertex, name) == [("1", []), ("2", ["default", "newest"]), ("3", [])]
    assert vertex.get(name)["versionId"] == "2"
    assert merge("newest", "-newest", "best").json()["versionAliases"] == ["best", "default"][::-1]
    assert error(merge("2", "-default"))[:2] == (400, "INVALID_ARGUMENT")
    assert error(merge("2", "Not_OK"))[:2] == (400, "INVALID_ARGUMENT")
    plain = vertex.call("POST", f"{name}:mergeVersionAliases", {"versionAliases": ["x"]})
    assert error(plain)[:2] == (400, "INVALID_ARGUMENT")


def test_an_upload_as_default_takes_the_alias(vertex: Vertex) -> None:
    """What the SDK sends for is_default_version."""
    name = three_versions(vertex)

    upload(vertex, name, versionAliases=["default"])

    assert versions(vertex, name)[0] == ("1", []) and vertex.get(name)["versionId"] == "4"


def test_a_version_is_deleted_but_not_the_only_one(vertex: Vertex) -> None:
    """Deleting the default makes the newest the default; numbers are not given twice."""
    name = three_versions(vertex)

    assert vertex.call("DELETE", f"{name}@3:deleteVersion").json()["done"]
    assert vertex.call("DELETE", f"{name}@1:deleteVersion").json()["done"]
    assert versions(vertex, name) == [("2", ["default"])]
    code, status, message = error(vertex.call("DELETE", f"{name}@2:deleteVersion"))
    assert (code, status) == (400, "FAILED_PRECONDITION") and "Use DeleteModel" in message
    assert upload(vertex, name)["modelVersionId"] == "4"
    assert vertex.call("DELETE", name).json()["done"]
    assert vertex.call("GET", f"{name}@4").status_code == 404


def test_a_model_and_its_versions_are_updated_apart(vertex: Vertex) -> None:
    """Labels of both are merged; a field of the other is refused; an old etag too."""
    name = three_versions(vertex)

    def patch(target: str, mask: str, **body: Any) -> Any:
        return vertex.call("PATCH", f"{target}?updateMask={mask}", body)

    patch(name, "labels,displayName", labels={"team": "a"}, displayName="renamed")
    patch(f"{name}@2", "labels,versionDescription", labels={"run": "2"}, versionDescription="v")

    first, second = vertex.get(name), vertex.get(f"{name}@2")
    assert first["labels"] == {"team": "a", "run": "one"}
    assert second["labels"] == {"team": "a", "run": "2"} and second["versionDescription"] == "v"
    assert {first["displayName"], second["displayName"]} == {"renamed"}
    wrong = error(patch(f"{name}@2", "displayName", displayName="x"))
    assert wrong[:2] == (400, "FAILED_PRECONDITION")
    stale = patch(f"{name}@2", "labels", labels={}, etag=first["etag"])
    assert error(stale)[:2] == (409, "ABORTED")


@pytest.mark.parametrize("body", [{"displayName": ""}, {}, {"displayName": "a\0b"}])
def test_a_model_keeps_a_display_name(vertex: Vertex, body: Body) -> None:
    """It is required: an update cannot take it away, nor put a NUL into it."""
    name = str(upload(vertex)["model"])

    answer = vertex.call("PATCH", f"{name}?updateMask=displayName", body)

    assert error(answer)[:2] == (400, "INVALID_ARGUMENT")
    assert "model.display_name" in answer.text
    assert vertex.get(name)["displayName"] == "m"


def test_trainings_of_one_model_are_its_versions(vertex: Vertex, bucket: str) -> None:
    """parentModel: the second training's model has its own evaluation, pipeline and labels."""
    dataset = vertex.filled_dataset(bucket)
    first = vertex.trained(vertex.begin_training(dataset, modelId="shoes", labels={"run": "a"}))
    name = first["modelToUpload"]["name"]
    second = vertex.trained(vertex.begin_training(dataset, parentModel=name, labels={"run": "b"}))[
        "modelToUpload"
    ]

    assert (second["name"], second["versionId"]) == (name, "2")
    assert second.get("versionAliases", []) == []
    assert versions(vertex, name, "?filter=labels.run=b") == [("2", [])]
    evaluations = [
        vertex.get(f"{one}/evaluations")["modelEvaluations"]
        for one in (name, f"{name}@1", f"{name}@2")
    ]
    assert evaluations[0] == evaluations[1] != evaluations[2]
    own = evaluations[2][0]["name"].replace("/models/shoes/", "/models/shoes@2/")
    assert vertex.get(own) == evaluations[2][0]
    assert vertex.call("GET", own.replace("@2", "@1")).status_code == 404
    assert vertex.call("DELETE", f"{name}@2:deleteVersion").json()["done"]
    assert vertex.call("GET", evaluations[2][0]["name"]).status_code == 404
    assert vertex.get(evaluations[0][0]["name"]) == evaluations[0][0]
    missing = vertex.call(
        "POST",
        f"{vertex.parent}/trainingPipelines",
        {
            "displayName": "t",
            "trainingTaskDefinition": first["trainingTaskDefinition"],
            "inputDataConfig": first["inputDataConfig"],
            "parentModel": f"{vertex.parent}/models/none",
        },
    )
    assert missing.status_code == 404


def test_googles_sdk_keeps_a_registry_here(vertex: Vertex) -> None:
    """Upload, versions, aliases and deletion with aiplatform.Model and its registry."""
    from google.auth.credentials import AnonymousCredentials
    from google.cloud import aiplatform

    aiplatform.init(
        project=vertex.project,
        location=vertex.region,
        api_endpoint=vertex.url,
        api_transport="rest",
        credentials=AnonymousCredentials(),  # type: ignore[no-untyped-call]
    )
    first = aiplatform.Model.upload(
        display_name="m", serving_container_image_uri=IMAGE, model_id="sdk"
    )
    second = aiplatform.Model.upload(
        display_name="m",
        serving_container_image_uri=IMAGE,
        parent_model=first.resource_name,
        is_default_version=False,
        version_aliases=["candidate"],
    )
    registry = second.versioning_registry

    assert (first.version_id, second.version_id) == ("1", "2")
    assert [one.version_id for one in registry.list_versions()] == ["1", "2"]
    registry.add_version_aliases(["default"], "2")
    assert aiplatform.Model("sdk").version_id == "2"
    assert registry.get_version_info("candidate").version_aliases == ["default", "candidate"]
    registry.delete_version("1")
    assert [one.version_id for one in registry.list_versions()] == ["2"]
