"""Names, labels and URIs, built and taken apart."""

from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ops import names


@pytest.mark.parametrize(
    ("label", "safe"),
    [
        ("dress", "dress"),
        ("t-shirt", "t_shirt"),
        ("0", "label_0"),
        ("café crème", "cafe_creme"),
        ("_x", "label_x"),
        ("日本", "label_cf2abf0c"),
        ("кот 1", "label_3f8396f2"),
        ("сорт A", "label_7480fbf1"),
        ("straße", "strae"),
    ],
)
def test_safe_labels(label: str, safe: str) -> None:
    """Each label gets a name that Vertex takes."""
    assert names.safe_label(label) == safe


@given(st.text(min_size=1))
def test_every_label_gets_a_form_that_vertex_takes(label: str) -> None:
    """A letter first, then letters, digits and underscores, whatever the user wrote."""
    safe = names.safe_label(label)

    assert safe.isascii() and safe[0].isalpha() and safe.replace("_", "a").isalnum()


@given(st.text())
def test_label_values_keep_to_google_s_form(text: str) -> None:
    """Lower case, digits, dash and underscore, at most 63 characters."""
    value = names.label_value(text)

    assert len(value) <= 63
    assert set(value) <= set("abcdefghijklmnopqrstuvwxyz0123456789_-")


def test_resource_names_are_read_back() -> None:
    """What `resource` builds, `parse` takes apart; versions and children are left off."""
    name = names.resource("p", "us-central1", "models", "7")

    assert name == "projects/p/locations/us-central1/models/7"
    assert names.parse(name) == names.ResourceName("p", "us-central1", "models", "7")
    assert names.resource_id(f"{name}@2") == "7"
    assert names.resource_id(f"{name}/evaluations/1") == "7"


def test_uris_are_read_back() -> None:
    """A gs:// URI is bucket and object; anything else is refused."""
    assert names.parse_gs_uri(names.gs_uri("b", "a/b", "c")) == ("b", "a/b/c")
    with pytest.raises(ValueError, match="not a gs:// URI: 'http://x'"):
        names.parse_gs_uri("http://x")


def test_long_bucket_names_stay_apart() -> None:
    """Names over 63 characters are cut, and two stacks still have two buckets."""
    one, other = (names.bucket_name("p" * 30, "s" * 29 + end) for end in "ab")

    assert len(one) <= 63 and one != other


def test_run_ids_are_taken_apart() -> None:
    """A run id has its kind, both digests and its ordinal, and is a model id as it is."""
    digest = names.plan_digest({"b": 1, "a": [2]})
    run = names.run_id("train", "d" * 64, digest, 12)

    assert run == f"train-{'d' * 12}-{digest[:8]}-12"
    assert (names.run_kind(run), names.run_ordinal(run)) == ("train", 12)
    assert names.model_id(run) == run


def test_the_plan_digest_does_not_depend_on_order() -> None:
    """The same inputs give the same digest, other inputs another."""
    assert names.plan_digest({"a": 1, "b": 2}) == names.plan_digest({"b": 2, "a": 1})
    assert names.plan_digest({"a": 1}) != names.plan_digest({"a": 2})


@given(st.text(), st.text())
def test_ids_of_endpoints_and_deployed_models_have_google_s_form(stack: str, run: str) -> None:
    """Digits without a leading zero: nine for endpoints, ten for deployed models."""
    endpoint, deployed = names.endpoint_id(stack, run), names.deployed_model_id(run)

    assert len(endpoint) == 9 and endpoint.isdecimal() and endpoint[0] != "0"
    assert len(deployed) == 10 and deployed.isdecimal() and deployed[0] != "0"


def test_expiry_labels_are_read_back() -> None:
    """A time survives being a label value; other labels are no times."""
    until = datetime(2026, 11, 21, 16, 5, tzinfo=UTC)

    assert names.expiry_label(until) == "2026-11-21t16-05-00z"
    assert names.label_value(names.expiry_label(until)) == names.expiry_label(until)
    assert names.expiry(names.expiry_label(until)) == until
    assert names.expiry("never") is None
