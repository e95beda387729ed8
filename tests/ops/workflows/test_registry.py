"""Where a training puts its model, and which model a word means."""

from __future__ import annotations

import pytest

from ops import names
from ops.cloud import models
from ops.cloud.session import Session
from ops.errors import Code, OpsError
from ops.ledger import Ledger
from ops.workflows import registry
from ops.workflows.registry import Place

IMAGE = "us-central1-docker.pkg.dev/local-project/ops/trainer:1"
RUN = "train-ad89882dd902-12c74c7f-1"


def upload(session: Session, place: Place, stack: str, run: str = "") -> str:
    """The full name of a version uploaded where `place` says, with the labels of a stack."""
    model = {
        "display_name": "m",
        "labels": {names.LABEL_STACK: stack, names.LABEL_RUN: run},
        "container_spec": {"image_uri": IMAGE},
    }
    request = {"parent": session.parent, "model": model, **place.fields}
    made = session.wait(session.submit(session.models().upload_model, request=request), 60)
    return names.versioned(made.model, made.model_version_id)


def test_the_first_training_makes_the_model_and_the_next_a_version(ledger: Ledger) -> None:
    """The id says stack, data set and mode; from then on it is the parent."""
    session = ledger.session
    first = registry.place_for(ledger, "shoes", "custom", RUN)
    full = upload(session, first, "default")

    second = registry.place_for(ledger, "shoes", "custom", RUN)

    assert first.fields == {"model_id": "default-shoes-custom"}
    assert second.fields == {"parent_model": full.partition("@")[0]}
    assert registry.place_for(ledger, "shoes", "automl", RUN).model_id == "default-shoes-automl"


def test_another_stacks_model_of_the_same_id_is_not_added_to(ledger: Ledger) -> None:
    """Stack `default-a` with set `b` and stack `default` with set `a-b` want one id."""
    place = registry.place_for(ledger, "a-b", "custom", RUN)
    upload(ledger.session, place, "default-a")

    own = registry.place_for(ledger, "a-b", "custom", RUN)

    assert own.parent_model == "" and own.model_id.startswith("default-a-b-custom-")
    assert upload(ledger.session, own, "default").endswith("@1")
    again = registry.place_for(ledger, "a-b", "custom", RUN)
    assert again.parent_model.endswith(own.model_id)


def test_the_place_is_chosen_by_one_at_a_time(ledger: Ledger) -> None:
    """While one training is being placed, another cannot be."""
    with registry.placing(ledger, "shoes", "custom", RUN) as place:
        assert place.model_id == "default-shoes-custom"
        with pytest.raises(OpsError) as refused, ledger.lock(registry.LOCK, wait_seconds=0.3):
            pass

    assert refused.value.code is Code.BUSY


@pytest.mark.parametrize(
    ("stack", "dataset", "id"),
    [
        ("shop", "shoes", "shop-shoes-custom"),
        ("Shop", "Shoes 2", "shop-shoes-2-custom-"),
        ("2go", "x", "m-2go-x-custom-"),
        ("shop", "обувь", "shop-custom-"),
        ("s" * 40, "d" * 40, "s" * 40 + "-" + "d" * 13 + "-"),
    ],
)
def test_ids_are_googles_and_never_one_for_two(stack: str, dataset: str, id: str) -> None:
    """A letter first, at most 63 characters; a name that had to be changed ends in its hash."""
    found = names.registry_model_id(stack, dataset, "custom")

    assert found.startswith(id) and len(found) <= 63
    assert (found == id) is (not id.endswith("-"))
    assert found == names.model_id(found) and found[0].isalpha()


def test_a_model_is_meant_by_id_version_alias_run_or_nothing(ledger: Ledger) -> None:
    """The plain id is the default; nothing is the stack's newest, or its model's default."""
    session = ledger.session
    first = upload(session, registry.place_for(ledger, "shoes", "custom", RUN), "default")
    second = upload(session, registry.place_for(ledger, "shoes", "custom", RUN), "default")
    models.set_alias(session, second, "best")

    def meant(model: str | None = None, *, newest: bool = False) -> str:
        return registry.choose_model(ledger, model=model, newest=newest).full

    assert meant("default-shoes-custom") == meant(first) == meant() == first
    assert meant("default-shoes-custom@2") == meant("default-shoes-custom@best") == second
    assert meant(newest=True) == second
    with pytest.raises(OpsError, match="There is no model default-shoes-custom@worst") as unknown:
        meant("default-shoes-custom@worst")
    assert "default-shoes-custom@2 (@best)" in unknown.value.hint
