"""Lists: the filter language, orders, pages bound to their query, read masks."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from emulator.aiplatform import listing
from emulator.errors import ApiError

ROWS: list[dict[str, Any]] = [
    {
        "name": f"projects/p/locations/l/trainingPipelines/{number}",
        "displayName": title,
        "state": state,
        "createTime": f"2026-01-0{number}T00:00:00.000000Z",
        "labels": labels,
    }
    for number, title, state, labels in [
        (1, "my_job_a", "PIPELINE_STATE_SUCCEEDED", {"env": "prod", "a key": "x"}),
        (2, "my_job_b", "PIPELINE_STATE_FAILED", {"env": "test"}),
        (3, "other", "PIPELINE_STATE_FAILED", {}),
    ]
]


def passing(text: str, key: str = "trainingPipelines") -> str:
    """The last letters of the names that a filter lets through."""
    rows = listing.page(key, ROWS, {"filter": text}).get(key, [])
    return "".join(row["name"][-1] for row in rows)


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("", "123"),
        ('display_name="other"', "3"),
        ("displayName=other", "3"),
        ('display_name!="other"', "12"),
        ('display_name:"my_job_*"', "12"),
        ('display_name:"my_job"', ""),
        ('NOT display_name="other"', "12"),
        ('-display_name="other"', "12"),
        ("state=PIPELINE_STATE_FAILED AND labels.env=test", "2"),
        ("state=PIPELINE_STATE_FAILED labels.env=test", "2"),
        # OR binds tighter than AND.
        ("labels.env=prod AND display_name=other OR display_name=my_job_a", "1"),
        ("(labels.env=prod AND display_name=other) OR display_name=my_job_a", "1"),
        ("display_name=other OR labels.env=prod AND state=PIPELINE_STATE_FAILED", "3"),
        ("display_name=(other OR my_job_b)", "23"),
        ("labels.env:*", "12"),
        ("labels:env", "12"),
        ('labels."a key"=x', "1"),
        ("NOT labels.env:*", "3"),
        ('create_time>"2026-01-02T00:00:00Z"', "3"),
        ("create_time<=2026-01-02T01:00:00+01:00", "12"),
        ('create_time="2026-01-02T00:00:00.000Z"', "2"),
        ("NOT (labels.env=prod OR labels.env=test)", "3"),
        ("display_name='other'", "3"),
    ],
)
def test_what_a_filter_lets_through(text: str, found: str) -> None:
    """Precedence, quotes, wildcards, existence, times."""
    assert passing(text) == found


@pytest.mark.parametrize(
    "text",
    [
        "colour=red",
        "description=x",
        "labels.a==b",
        "display_name=",
        "display_name",
        "display_name>a",
        "state=NO_SUCH_STATE",
        "create_time>yesterday",
        "create_time>2026-01-01T00:00:00",
        "(display_name=a",
        "display_name=a)",
        "display_name=a AND",
        "OR display_name=a",
        "NOT",
        'display_name="a',
        'regex(display_name, "^a")',
        'display_name=lower("A")',
        "in_context(x)",
        "(" * 40 + "display_name=a" + ")" * 40,
        "x" * 20_000,
        "\0",
    ],
)
def test_what_is_no_filter(text: str) -> None:
    """INVALID_ARGUMENT with the field `filter` as a violation."""
    with pytest.raises(ApiError) as caught:
        passing(text)

    assert caught.value.status == "INVALID_ARGUMENT"
    assert caught.value.message.startswith("List of found errors:\t1.Field: filter; Message: ")
    assert caught.value.details[0]["fieldViolations"][0]["field"] == "filter"


WORDS = st.sampled_from(
    [
        *"()=:<>-*,.\"'\\",
        "!=",
        "AND",
        "OR",
        "NOT",
        " ",
        "labels.env",
        "display_name",
        "a",
        "é",
        "\0",
    ]
)


@settings(max_examples=300, deadline=None)
@given(st.lists(WORDS, max_size=30).map("".join))
def test_any_text_is_a_filter_or_refused(text: str) -> None:
    """Never another failure; what a filter lets through is of the list."""
    try:
        found = passing(text)
    except ApiError as refusal:
        assert refusal.status == "INVALID_ARGUMENT"
    else:
        assert set(found) <= set("123")


def test_a_pipeline_job_is_found_by_the_name_of_its_pipeline() -> None:
    """`pipeline_name` is kept inside the specification."""
    rows = [
        {"name": one, "pipelineSpec": {"pipelineInfo": {"name": one}}, "createTime": "2026"}
        for one in ("first", "second")
    ]

    page = listing.page("pipelineJobs", rows, {"filter": "pipeline_name=second"})

    assert [row["name"] for row in page["pipelineJobs"]] == ["second"]


def test_an_endpoint_is_found_by_its_id_and_numbers_compare_as_numbers() -> None:
    """`endpoint=1` is the last part of the name; 9 is below 10."""
    rows = [
        {"name": f"x/endpoints/{number}", "createTime": "2026-01-01T00:00:00Z"}
        for number in (9, 10)
    ]
    points = [{"step": str(step), "name": str(step)} for step in (9, 10)]

    by_id = listing.page("endpoints", rows, {"filter": "endpoint=10"})
    by_step = listing.page("timeSeriesDataPoints", points, {"filter": "step<10"})
    falling = listing.page("timeSeriesDataPoints", points, {"orderBy": "step desc"})

    assert [row["name"] for row in by_id["endpoints"]] == ["x/endpoints/10"]
    assert [row["step"] for row in by_step["timeSeriesDataPoints"]] == ["9"]
    assert [row["step"] for row in falling["timeSeriesDataPoints"]] == ["10", "9"]


def test_metadata_is_asked_by_typed_fields() -> None:
    """`metadata.FIELD.number_value`, names with a colon in quotes."""
    rows = [
        {"name": "1", "metadata": {"loss": 0.5, "a:b": "x", "done": True}},
        {"name": "2", "metadata": {"loss": 2}},
    ]

    def found(text: str) -> list[str]:
        page = listing.page("artifacts", rows, {"filter": text})
        return [row["name"] for row in page.get("artifacts", [])]

    assert found("metadata.loss.number_value > 1.0") == ["2"]
    assert found('metadata."a:b".string_value = "x"') == ["1"]
    assert found("metadata.done.bool_value = true") == ["1"]
    assert found("metadata.done:*") == ["1"]


def test_several_orders_and_pages() -> None:
    """Fields in turn, each its own direction; pages of one give the same sequence."""
    request = {"orderBy": "state, display_name desc", "pageSize": 1}
    seen: list[str] = []
    token = ""
    while not seen or token:
        page = listing.page("trainingPipelines", ROWS, {**request, "pageToken": token})
        (row,) = page["trainingPipelines"]
        seen.append(row["displayName"])
        token = page.get("nextPageToken", "")

    assert seen == ["other", "my_job_b", "my_job_a"]


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"pageSize": -1}, "page_size"),
        ({"pageToken": "nonsense"}, "page_token"),
        ({"pageToken": "W10"}, "page_token"),
        ({"pageToken": "\ud83d\ude00"}, "page_token"),
        ({"orderBy": "colour"}, "order_by"),
        ({"orderBy": "display_name upwards"}, "order_by"),
        ({"readMask": "colour"}, "read_mask"),
    ],
)
def test_requests_that_are_refused(change: dict[str, Any], field: str) -> None:
    """INVALID_ARGUMENT, naming the field."""
    with pytest.raises(ApiError) as caught:
        listing.page("trainingPipelines", ROWS, change)

    assert caught.value.details[0]["fieldViolations"][0]["field"] == field


def test_a_token_is_of_its_query() -> None:
    """Another filter, order or list refuses it; another page size does not (AIP-158)."""
    first = {"pageSize": 1, "filter": "labels.env:*"}
    token = listing.page("trainingPipelines", ROWS, first)["nextPageToken"]

    rest = listing.page("trainingPipelines", ROWS, {**first, "pageSize": 5, "pageToken": token})

    assert len(rest["trainingPipelines"]) == 1
    for change in ({"filter": ""}, {"orderBy": "display_name"}, {"parent": "other"}):
        with pytest.raises(ApiError, match="page token is invalid"):
            listing.page("trainingPipelines", ROWS, {**first, "pageToken": token, **change})


def test_a_read_mask_picks_fields() -> None:
    """Only what it names, nested paths included."""
    page = listing.page("trainingPipelines", ROWS, {"readMask": "displayName,labels.env"})

    assert page["trainingPipelines"][0] == {"displayName": "my_job_a", "labels": {"env": "prod"}}
