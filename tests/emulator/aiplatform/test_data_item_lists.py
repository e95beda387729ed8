"""Pages of data items: by place, by name, filtered, with their annotations."""

from __future__ import annotations

from urllib.parse import quote

import pytest

from emulator.aiplatform import data_item_lists, data_items, datasets
from emulator.cloud import Cloud
from emulator.errors import ApiError
from tests.emulator.vertex import IMAGE_SCHEMA, Body, Vertex, error

ML_USE = "labels.aiplatform.googleapis.com/ml_use"


def all_pages(vertex: Vertex, path: str, key: str) -> list[Body]:
    """The rows of every page, each of at most seven."""
    rows, token = [], ""
    while True:
        page = vertex.get(f"{path}&pageSize=7&pageToken={token}")
        assert len(page.get(key, [])) <= 7
        rows += page.get(key, [])
        token = page.get("nextPageToken", "")
        if not token:
            return rows


@pytest.fixture
def dataset(vertex: Vertex, bucket: str) -> str:
    """A data set of 12 photos of each of two labels."""
    return vertex.filled_dataset(bucket)


def test_every_item_is_on_one_page(vertex: Vertex, dataset: str) -> None:
    """In the order of import, by name, back to front; and with a filter."""
    path = f"{dataset}/dataItems?orderBy="

    plain = [one["name"] for one in all_pages(vertex, path, "dataItems")]
    by_name = [one["name"] for one in all_pages(vertex, f"{path}name desc", "dataItems")]
    latest = [one["name"] for one in all_pages(vertex, f"{path}create_time desc", "dataItems")]
    tests = all_pages(vertex, f"{path}&filter={ML_USE}=test&readMask=name,labels", "dataItems")

    assert len(plain) == len(set(plain)) == 24
    assert by_name == sorted(plain, reverse=True)
    assert latest == plain[::-1]
    assert len(tests) == 4 and all(set(one) == {"name", "labels"} for one in tests)


def test_items_are_searched_by_their_annotations(vertex: Vertex, dataset: str) -> None:
    """`has_annotation`, `labeled`, one item by id; annotations cut to a number."""
    search = f"{dataset}:searchDataItems?dataItemFilter="
    first = vertex.get(f"{search}&pageSize=1")["dataItemViews"][0]
    spec = first["annotations"][0]["payload"]["annotationSpecId"]
    last = first["dataItem"]["name"].rsplit("/", 1)[1]

    with_spec = all_pages(vertex, f"{search}has_annotation({spec})", "dataItemViews")
    without = vertex.get(f"{search}labeled=false")
    one = vertex.get(f"{search}data_item_id={last}")["dataItemViews"]
    hidden = quote(f"annotation_spec_id!={spec}")
    none = vertex.get(f"{search}data_item_id={last}&annotationsFilter={hidden}")

    assert len(with_spec) == 12
    assert without == {}
    assert [view["dataItem"]["name"] for view in one] == [first["dataItem"]["name"]]
    assert "annotations" not in none["dataItemViews"][0]
    assert vertex.get(f"{dataset}/annotationSpecs/{spec}")["displayName"] in ("cat", "dog")
    listed = vertex.get(f"{first['dataItem']['name']}/annotations")["annotations"]
    assert listed == first["annotations"]


@pytest.mark.parametrize(
    "query", ["filter=colour=red", "orderBy=payload", "pageSize=-1", "pageToken=x", "readMask=x"]
)
def test_lists_that_are_refused(vertex: Vertex, query: str) -> None:
    """INVALID_ARGUMENT, with the field."""
    answer = vertex.call("GET", f"{vertex.dataset()}/dataItems?{query}")

    assert error(answer)[:2] == (400, "INVALID_ARGUMENT")


def test_a_page_looks_at_a_bounded_number_of_rows(local: Cloud) -> None:
    """A filter that nothing passes gives short pages with tokens, and an end."""
    made = datasets.create_dataset(
        local,
        {
            "parent": "projects/p/locations/us-central1",
            "dataset": {"displayName": "x", "metadataSchemaUri": IMAGE_SCHEMA},
        },
    )
    name = made["response"]["name"]
    count = data_item_lists.MAX_SCANNED + 10
    items = (data_items.NewItem(f"{n:064d}", "gs://b/x", "image/png", {}, ()) for n in range(count))
    data_items.add_items(local, name, items)
    request = {"parent": name, "filter": "labels.none:*"}

    first = data_item_lists.list_data_items(local, request)
    more = {**request, "pageToken": first["nextPageToken"]}

    assert "dataItems" not in first
    assert data_item_lists.list_data_items(local, more) == {}
    with pytest.raises(ApiError):
        data_item_lists.list_data_items(local, {**more, "filter": ""})
