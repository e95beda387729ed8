"""ImportData over HTTP: what comes in, what is refused by row, what is merged."""

import json

from tests.emulator.vertex import MULTI, Body, Vertex, error, photo

ML_USE = "aiplatform.googleapis.com/ml_use"


def imported(vertex: Vertex, bucket: str, lines: str, **more: str) -> tuple[str, Body]:
    """A dataset and the ended operation of an import of this file into it."""
    name = more.get("name", "import.csv")
    vertex.upload(bucket, {name: lines.encode()})
    dataset = vertex.dataset()
    schema = {"schema": more["schema"]} if "schema" in more else {}
    uri = f"gs://{bucket}/{more.get('pattern', name)}"
    return dataset, vertex.done(vertex.begin_import(dataset, uri, **schema))


def failures(operation: Body) -> list[str]:
    """The messages of the partial failures."""
    generic = operation["metadata"]["genericMetadata"]
    return [one["message"] for one in generic.get("partialFailures", [])]


def items(vertex: Vertex, dataset: str) -> list[Body]:
    """The data items of a dataset."""
    found: list[Body] = vertex.get(f"{dataset}/dataItems").get("dataItems", [])
    return found


def labels_of(vertex: Vertex, item: Body) -> list[str]:
    """The class labels of one data item."""
    found = vertex.get(f"{item['name']}/annotations").get("annotations", [])
    return [one["payload"]["displayName"] for one in found]


def test_csv_rows_become_items_with_labels_and_ml_use(vertex: Vertex, bucket: str) -> None:
    """ML_USE in either case or missing, Windows line ends, a row without a label."""
    vertex.upload(bucket, {f"{n}.png": photo(n) for n in range(4)})
    rows = [
        f"TRAINING,gs://{bucket}/0.png,cat",
        f"test,gs://{bucket}/1.png,dog",
        f"gs://{bucket}/2.png,cat",
        f"gs://{bucket}/3.png",
    ]
    dataset, operation = imported(vertex, bucket, "\r\n".join(rows))

    assert failures(operation) == [] and "response" in operation
    found = {item["payload"]["imageGcsUri"][-5:-4]: item for item in items(vertex, dataset)}
    uses = {key: item.get("labels", {}).get(ML_USE) for key, item in found.items()}
    assert uses == {"0": "training", "1": "test", "2": None, "3": None}
    assert [labels_of(vertex, found[key]) for key in "0123"] == [["cat"], ["dog"], ["cat"], []]
    assert vertex.get(dataset)["dataItemCount"] == "4"


def test_jsonl_files_found_by_wildcard_are_imported(vertex: Vertex, bucket: str) -> None:
    """Two files of a multi-label import; a photo has both of its labels."""
    vertex.upload(bucket, {f"{n}.png": photo(n) for n in range(2)})
    row = {
        "imageGcsUri": f"gs://{bucket}/0.png",
        "classificationAnnotations": [{"displayName": "cat"}, {"displayName": "pet"}],
        "dataItemResourceLabels": {ML_USE: "validation", "shop": "north"},
    }
    other = json.dumps({"imageGcsUri": f"gs://{bucket}/1.png"})
    vertex.upload(bucket, {"rows-2.jsonl": other.encode()})
    dataset, operation = imported(
        vertex, bucket, json.dumps(row), name="rows-1.jsonl", pattern="rows-*.jsonl", schema=MULTI
    )

    assert failures(operation) == []
    first, second = items(vertex, dataset)
    assert first["labels"] == {ML_USE: "validation", "shop": "north"}
    assert labels_of(vertex, first) == ["cat", "pet"] and labels_of(vertex, second) == []


def test_each_bad_row_is_a_partial_failure_that_names_its_line(vertex: Vertex, bucket: str) -> None:
    """Bad label, missing object, text as JPEG, bad ML_USE, two labels, a bucket far away."""
    far = vertex.bucket(f"{bucket}-far", "EUROPE-WEST4")
    vertex.upload(far, {"0.png": photo(0)})
    vertex.upload(bucket, {"0.png": photo(0), "text.jpg": b"not a photo"})
    rows = [
        f"gs://{bucket}/0.png,good",
        f"gs://{bucket}/0.png,9lives",
        f"gs://{bucket}/missing.png,cat",
        f"gs://{bucket}/text.jpg,cat",
        f"sometimes,gs://{bucket}/0.png,cat",
        f"gs://{bucket}/0.png,cat,dog",
        f"gs://{far}/0.png,cat",
    ]
    dataset, operation = imported(vertex, bucket, "\n".join(rows))

    told = failures(operation)
    assert len(items(vertex, dataset)) == 1 and len(told) == 6
    expected = ["9lives", "does not exist", "not an image", "sometimes", "More than one", "EUROPE"]
    for line, (message, words) in enumerate(zip(told, expected, strict=True), start=2):
        assert f"gs://{bucket}/import.csv, line {line}: " in message and words in message


def test_more_than_twenty_failures_are_cut_and_none_imported_is_an_error(
    vertex: Vertex, bucket: str
) -> None:
    """Google never lists more than twenty; an import that brings nothing ends with an error."""
    rows = "\n".join(f"gs://{bucket}/{n}.png,cat" for n in range(30))

    dataset, operation = imported(vertex, bucket, rows)

    assert len(failures(operation)) == 20 and items(vertex, dataset) == []
    assert operation["error"]["code"] == 3
    assert "line 1: " in operation["error"]["message"]


def test_identical_bytes_are_one_item_whose_first_ml_use_stays(vertex: Vertex, bucket: str) -> None:
    """The same bytes under two names, and a second import, add labels but no item."""
    vertex.upload(bucket, {"a.png": photo(1), "b.png": photo(1)})
    rows = f"training,gs://{bucket}/a.png,cat\ntest,gs://{bucket}/b.png,pet"
    dataset, _ = imported(vertex, bucket, rows)

    vertex.upload(bucket, {"again.csv": f"validation,gs://{bucket}/b.png,cat".encode()})
    vertex.done(vertex.begin_import(dataset, f"gs://{bucket}/again.csv"))

    (item,) = items(vertex, dataset)
    assert item["payload"]["imageGcsUri"].endswith("a.png")
    assert item["labels"] == {ML_USE: "training"}
    assert labels_of(vertex, item) == ["cat", "pet"]


def test_a_file_that_is_not_there_ends_the_import_with_an_error(
    vertex: Vertex, bucket: str
) -> None:
    """The operation, not the request, says that the import file does not exist."""
    dataset = vertex.dataset()

    operation = vertex.done(vertex.begin_import(dataset, f"gs://{bucket}/none.csv"))

    assert operation["error"]["code"] == 5
    assert f"gs://{bucket}/none.csv" in operation["error"]["message"]


def test_a_schema_of_another_kind_is_refused_at_once(vertex: Vertex) -> None:
    """An object detection schema does not fit an image classification import."""
    schema = "gs://google-cloud-aiplatform/schema/dataset/ioformat/text_1.0.0.yaml"
    config = {"gcsSource": {"uris": ["gs://b/x.csv"]}, "importSchemaUri": schema}

    answer = vertex.call("POST", f"{vertex.dataset()}:import", {"importConfigs": [config]})

    assert error(answer)[:2] == (400, "INVALID_ARGUMENT")


def test_annotation_specs_are_found_by_the_id_in_the_annotation(
    vertex: Vertex, bucket: str
) -> None:
    """An annotation leads to its spec, which has the label's name."""
    vertex.upload(bucket, {"0.png": photo(0)})
    dataset, _ = imported(vertex, bucket, f"gs://{bucket}/0.png,cat")
    (item,) = items(vertex, dataset)
    (annotation,) = vertex.get(f"{item['name']}/annotations")["annotations"]

    spec = vertex.get(f"{dataset}/annotationSpecs/{annotation['payload']['annotationSpecId']}")

    assert spec["displayName"] == "cat"
