"""Work in threads comes back in order, and an error ends it."""

import threading

import pytest

from ops.parallel import in_order


def test_results_come_in_the_order_of_the_items() -> None:
    """A slow first item holds back the others, it does not let them pass."""
    last_is_done = threading.Event()

    def work(item: int) -> int:
        if item == 0:
            assert last_is_done.wait(10)
        if item == 3:
            last_is_done.set()
        return item * item

    assert list(in_order(work, range(4), 4)) == [0, 1, 4, 9]


def test_items_are_taken_as_they_are_worked_on() -> None:
    """A million items are not all waiting at once."""
    items = iter(range(1_000))
    results = in_order(str, items, 2)

    assert next(results) == "0"
    assert next(items) < 20


def test_the_first_error_ends_it() -> None:
    """Work that has not begun when something fails is never begun."""
    begun: list[int] = []

    def work(item: int) -> None:
        begun.append(item)
        if item == 5:
            raise ValueError("five")

    with pytest.raises(ValueError, match="five"):
        list(in_order(work, range(1_000), 2))

    assert len(begun) < 30
