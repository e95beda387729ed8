"""Transactions, resources, schema."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from emulator.errors import ApiError
from emulator.store.resources import Resources
from emulator.store.sqlite import Store


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    """A store in a file."""
    store = Store.open(tmp_path / "x.sqlite")
    yield store
    store.close()


def names(store: Store) -> list[str]:
    """The rows of kind `k`."""
    return [name for name, _ in Resources(store).list("k", "p")]


def test_an_error_undoes_everything(store: Store) -> None:
    """What a failing transaction wrote is not there, and its after-commit work never runs."""
    ran: list[str] = []
    with pytest.raises(ValueError, match="no"), store.transaction():
        Resources(store).insert("k", "a", {}, "p")
        store.after_commit(lambda: ran.append("x"))
        raise ValueError("no")

    assert (names(store), ran) == ([], [])


def test_an_inner_error_undoes_the_inner_part(store: Store) -> None:
    """A transaction in a transaction can fail alone; the outer one goes on."""
    rows = Resources(store)
    with store.transaction():
        rows.insert("k", "a", {}, "p")
        with pytest.raises(ApiError) as refused, store.transaction():
            rows.insert("k", "b", {}, "p")
            rows.insert("k", "a", {}, "p")
        rows.insert("k", "c", {}, "p")

    assert refused.value.status == "ALREADY_EXISTS"
    assert names(store) == ["a", "c"]


def test_after_commit_runs_once_at_the_outer_end(store: Store) -> None:
    """Work registered inside waits until the outermost transaction has committed."""
    ran: list[int] = []
    with store.transaction():
        with store.transaction():
            store.after_commit(lambda: ran.append(1))
        assert ran == []
    assert ran == [1]


def test_threads_take_turns(store: Store) -> None:
    """Increments by many threads add up: one transaction at a time."""
    rows = Resources(store)
    rows.insert("k", "count", {"value": 0}, "p")

    def add() -> None:
        for _ in range(50):
            with store.transaction():
                rows.replace("count", {"value": rows.require("count")["value"] + 1})

    threads = [threading.Thread(target=add) for _ in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert rows.require("count") == {"value": 300}


def test_resources_keep_their_order(store: Store) -> None:
    """Lists are in the order of creation, by kind and parent, in pages behind a name."""
    rows = Resources(store)
    for name in ("z", "a", "m"):
        rows.insert("k", name, {"n": name}, "p")
    rows.insert("other", "o", {}, "p")
    rows.insert("k", "q", {}, "elsewhere")

    assert [name for name, _ in rows.list("k", "p")] == ["z", "a", "m"]
    assert rows.list("k", "p", after="z", limit=1) == [("a", {"n": "a"})]
    with pytest.raises(ApiError) as refused:
        rows.list("k", "p", after="gone")
    assert refused.value.status == "INVALID_ARGUMENT"


def test_missing_resources_are_named(store: Store) -> None:
    """require, replace and delete of what is not there say its name."""
    rows = Resources(store)
    assert rows.get("x/y") is None
    for act in (rows.require, rows.delete, lambda name: rows.replace(name, {})):
        with pytest.raises(ApiError, match="x/y") as refused:
            act("x/y")
        assert refused.value.status == "NOT_FOUND"


def test_what_is_committed_is_there_after_opening_again(tmp_path: Path) -> None:
    """A second opening finds the rows, and runs no schema script twice."""
    first = Store.open(tmp_path / "x.sqlite")
    Resources(first).insert("k", "a", {"größe": [1, None]}, "p")
    first.close()

    second = Store.open(tmp_path / "x.sqlite", fsync=True)

    assert Resources(second).require("a") == {"größe": [1, None]}
    second.close()


def test_what_is_known_of_rows_is_forgotten_with_a_change(store: Store, tmp_path: Path) -> None:
    """A write, one undone, and a restored copy each empty it; reading does not."""

    def keep() -> None:
        with store.read():
            store.known()["a"] = 1

    def is_kept() -> bool:
        with store.read():
            return "a" in store.known()

    keep()
    assert (names(store), is_kept()) == ([], True)
    Resources(store).insert("k", "a", {}, "p")
    assert not is_kept()
    keep()
    with pytest.raises(ValueError, match="no"), store.transaction():
        Resources(store).delete("a")
        raise ValueError("no")
    assert not is_kept()
    keep()
    store.copy_to(tmp_path / "copy.sqlite")
    assert is_kept()
    store.replace_from(tmp_path / "copy.sqlite")
    assert not is_kept()
