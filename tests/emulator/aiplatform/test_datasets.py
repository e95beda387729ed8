"""Datasets over HTTP."""

from tests.emulator.vertex import IMAGE_SCHEMA, Vertex, error

SYSTEM_LABEL = "aiplatform.googleapis.com/dataset_metadata_schema"


def test_a_new_dataset_has_what_google_gives_it(vertex: Vertex) -> None:
    """Schema label, data item schema, bucket, artifact, etag and times are filled in."""
    dataset = vertex.get(vertex.dataset(labels={"team": "a"}))

    assert dataset["labels"] == {"team": "a", SYSTEM_LABEL: "IMAGE"}
    assert dataset["metadata"]["dataItemSchemaUri"].endswith("/dataitem/image_1.0.0.yaml")
    assert dataset["metadata"]["gcsBucket"].startswith("cloud-ai-platform-")
    assert "/metadataStores/default/artifacts/" in dataset["metadataArtifact"]
    assert dataset["etag"] and dataset["createTime"] <= dataset["updateTime"]


def test_names_answer_in_the_form_of_the_project_that_was_asked_with(vertex: Vertex) -> None:
    """A dataset made with the id is found with the number, and every name then has the number."""
    name = vertex.dataset()
    with_id = vertex.get(name)
    number = with_id["metadata"]["gcsBucket"].rsplit("-", 1)[1]

    with_number = vertex.get(name.replace(vertex.project, number))

    assert with_number["name"].startswith(f"projects/{number}/")
    assert with_number["metadataArtifact"].startswith(f"projects/{number}/")
    assert with_number["etag"] == with_id["etag"]


def test_lists_filter_as_clients_ask(vertex: Vertex) -> None:
    """By label, by display name in either case, joined by AND; a missing label matches nothing."""
    first = vertex.dataset(labels={"run": "1", "stack": "a"})
    second = vertex.dataset(displayName="other one", labels={"run": "2", "stack": "a"})

    def found(text: str) -> list[str]:
        listed = vertex.call("GET", f"{vertex.parent}/datasets?filter={text}").json()
        return [one["name"] for one in listed.get("datasets", [])]

    assert found("labels.stack=a") == [first, second]
    assert found("labels.stack=a AND labels.run=2") == [second]
    assert found('display_name="other one"') == found('displayName="other one"') == [second]
    assert found("labels.missing=a") == []
    assert found("labels.run:*") == found("labels:run") == [first, second]


def test_a_filter_that_is_none_is_refused(vertex: Vertex) -> None:
    """A filter that cannot be read is 400, not an empty list."""
    answer = vertex.call("GET", f"{vertex.parent}/datasets?filter=labels.a==b=c((")

    assert error(answer)[:2] == (400, "INVALID_ARGUMENT")


def test_pages_hold_together_while_a_client_deletes_what_it_lists(vertex: Vertex) -> None:
    """Five datasets, two a page, each deleted when seen: every one is met once."""
    made = [vertex.dataset() for _ in range(5)]
    met: list[str] = []
    token = ""
    while True:
        page = vertex.get(f"{vertex.parent}/datasets?pageSize=2&pageToken={token}")
        for one in page.get("datasets", []):
            met.append(one["name"])
            vertex.call("DELETE", one["name"])
        token = page.get("nextPageToken", "")
        if not token:
            break

    assert met == made


def test_an_update_changes_what_the_mask_names(vertex: Vertex) -> None:
    """The name changes, labels stay; a mask of labels replaces them but for the system's own."""
    name = vertex.dataset(labels={"a": "1"})
    before = vertex.get(name)

    vertex.call("PATCH", f"{name}?updateMask=displayName", {"displayName": "new", "labels": {}})
    renamed = vertex.get(name)
    vertex.call("PATCH", f"{name}?updateMask=labels", {"labels": {"b": "2"}})

    assert (renamed["displayName"], renamed["labels"]["a"]) == ("new", "1")
    assert vertex.get(name)["labels"] == {"b": "2", SYSTEM_LABEL: "IMAGE"}
    assert renamed["etag"] != before["etag"]
    refused = vertex.call("PATCH", f"{name}?updateMask=metadata", {"metadata": {}})
    assert error(refused)[:2] == (400, "INVALID_ARGUMENT")


def test_an_update_with_an_old_etag_is_refused(vertex: Vertex) -> None:
    """Of two clients that read the same dataset, the second to write is told."""
    name = vertex.dataset()
    etag = vertex.get(name)["etag"]
    body = {"displayName": "first", "etag": etag}
    assert vertex.call("PATCH", f"{name}?updateMask=displayName", body).status_code == 200

    late = vertex.call("PATCH", f"{name}?updateMask=displayName", body)

    assert error(late)[:2] == (409, "ABORTED")


def test_missing_fields_are_named_in_googles_words(vertex: Vertex) -> None:
    """All missing fields come together, as text and as field violations."""
    answer = vertex.call("POST", f"{vertex.parent}/datasets", {})

    code, status, message = error(answer)
    assert (code, status) == (400, "INVALID_ARGUMENT")
    assert "1.Field: dataset.display_name; Message: Required field is not set." in message
    violations = answer.json()["error"]["details"][0]["fieldViolations"]
    assert [one["field"] for one in violations] == [
        "dataset.display_name",
        "dataset.metadata_schema_uri",
    ]


def test_a_deleted_dataset_is_gone(vertex: Vertex) -> None:
    """Delete answers a finished operation under the location; get and a second delete are 404."""
    name = vertex.dataset()

    operation = vertex.call("DELETE", name).json()

    assert operation["done"] and operation["name"].startswith(f"{vertex.parent}/operations/")
    assert error(vertex.call("GET", name)) == (404, "NOT_FOUND", f'dataset "{name}" not found')
    assert vertex.call("DELETE", name).status_code == 404


def test_a_region_that_google_has_not_is_refused(vertex: Vertex) -> None:
    """A typing error in the region is told as such."""
    body = {"displayName": "x", "metadataSchemaUri": IMAGE_SCHEMA}
    path = vertex.parent.replace("us-central1", "us-centrl1") + "/datasets"

    code, status, message = error(vertex.call("POST", path, body))

    assert (code, status) == (400, "INVALID_ARGUMENT")
    assert "us-centrl1" in message
