"""Whole numbers from clients."""

from __future__ import annotations

import pytest

from emulator.errors import ApiError
from emulator.numbers import whole


@pytest.mark.parametrize(
    ("asked", "number"), [(None, 7), ("", 7), ("0", 0), (5, 5), ("2147483647", 2147483647)]
)
def test_numbers_and_nothing(asked: object, number: int) -> None:
    """Text, JSON numbers, and the default for nothing."""
    assert whole(asked, "page_size", 7) == number


@pytest.mark.parametrize("asked", ["-1", "x", "²", "1.5", "9" * 5000, "2147483648", [], {}, True])
def test_what_is_no_number(asked: object) -> None:
    """Everything else is INVALID_ARGUMENT with Google's words."""
    with pytest.raises(ApiError, match=r"Invalid value at 'page_size' \(TYPE_INT32\)"):
        whole(asked, "page_size")
