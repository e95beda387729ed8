"""Versions and soft deletion against a model of a few lines, whatever is done in whatever order."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from uuid import uuid4

import pytest
from hypothesis import given
from hypothesis import settings as examples
from hypothesis import strategies as st

from emulator.app import close_cloud, open_cloud
from emulator.cloud import Cloud, ServerSettings
from emulator.storage import buckets, listing, objects, soft_delete
from emulator.storage.errors import StorageError
from emulator.storage.preconditions import NONE
from emulator.store.blobs import BlobRef

NAMES = ("a", "b")
LIVE, NONCURRENT, DELETED = "live", "noncurrent", "deleted"
STEPS = st.lists(
    st.tuples(
        st.sampled_from(["put", "put", "delete", "delete one", "restore", "keep", "forget"]),
        st.sampled_from(NAMES),
        st.integers(0, 5),
    ),
    min_size=12,
    max_size=30,
)


@dataclass
class Version:
    """One generation as the model has it."""

    name: str
    generation: int
    state: str = LIVE


class Model:
    """What Google's documents say of one bucket, in the simplest words."""

    def __init__(self) -> None:
        self.versions: list[Version] = []
        self.keeps = False

    def live(self, name: str) -> Version | None:
        """The live generation of a name."""
        found = [one for one in self.versions if (one.name, one.state) == (name, LIVE)]
        return found[0] if found else None

    def retire(self, name: str) -> None:
        """The live generation is replaced or deleted."""
        if one := self.live(name):
            one.state = NONCURRENT if self.keeps else DELETED

    def listed(self, *states: str) -> list[tuple[str, int]]:
        """Names and generations in the order of lists."""
        return sorted((one.name, one.generation) for one in self.versions if one.state in states)


@pytest.fixture(scope="module")
def cloud(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cloud]:
    """A cloud in this process, for many short lives of buckets."""
    cloud = open_cloud(ServerSettings(data_dir=tmp_path_factory.mktemp("model"), memory=True))
    yield cloud
    close_cloud(cloud)


@examples(max_examples=80, deadline=None)
@given(steps=STEPS)
def test_every_order_of_steps(cloud: Cloud, steps: list[tuple[str, str, int]]) -> None:
    """After each step all three lists are those of the model; so is what was refused."""
    bucket = f"bucket-{uuid4().hex[:12]}"
    buckets.create_bucket(cloud, "p", {"name": bucket})
    model = Model()
    for step, name, number in steps:
        assert act(cloud, bucket, model, step, name, number)
        assert listed(cloud, bucket) == model.listed(LIVE)
        assert listed(cloud, bucket, versions="true") == model.listed(LIVE, NONCURRENT)
        assert listed(cloud, bucket, softDeleted="true") == model.listed(DELETED)


def act(cloud: Cloud, bucket: str, model: Model, step: str, name: str, number: int) -> bool:
    """Whether a step ended as the model says that it must."""
    if step in ("keep", "forget"):
        model.keeps = step == "keep"
        sent = {"versioning": {"enabled": model.keeps}}
        buckets.patch_bucket(cloud, bucket, sent, NONE)
        return True
    if step == "put":
        model.retire(name)
        model.versions.append(Version(name, put(cloud, bucket, name)))
        return True
    if step == "delete":
        there = model.live(name) is not None
        model.retire(name)
        return done(cloud, bucket, name, None) == there
    if not model.versions:
        return True
    chosen = model.versions[number % len(model.versions)]
    if step == "delete one":
        there = chosen.state != DELETED
        chosen.state = DELETED
        return done(cloud, bucket, chosen.name, chosen.generation) == there
    return restored(cloud, bucket, model, chosen)


def restored(cloud: Cloud, bucket: str, model: Model, chosen: Version) -> bool:
    """Whether a generation could be restored just when it is deleted; it stays so, too."""
    try:
        with cloud.store.transaction() as db:
            row = objects.require_restorable(cloud, db, bucket, chosen.name, chosen.generation)
            made = soft_delete.restored(cloud, row, None, NONE, same_acl=False)
    except StorageError:
        return chosen.state != DELETED
    model.retire(chosen.name)
    model.versions.append(Version(chosen.name, made.generation))
    return chosen.state == DELETED


def put(cloud: Cloud, bucket: str, name: str) -> int:
    """The generation of a new object."""
    reference = BlobRef("0" * 64, "m", "c", 0)
    return objects.store_object(cloud, bucket, name, reference, {}).generation


def done(cloud: Cloud, bucket: str, name: str, generation: int | None) -> bool:
    """Whether there was something to delete."""
    try:
        objects.delete_object(cloud, bucket, name, NONE, generation)
    except StorageError:
        return False
    return True


def listed(cloud: Cloud, bucket: str, **query: str) -> list[tuple[str, int]]:
    """Names and generations of a list, all of its pages."""
    found: list[tuple[str, int]] = []
    query["maxResults"] = "2"
    while True:
        page = listing.list_objects(cloud, bucket, listing.Question.from_query(query))
        found += [(row.name, row.generation) for row in page.objects]
        if page.next_place is None:
            return found
        query["pageToken"] = listing.place_token(page.next_place)
