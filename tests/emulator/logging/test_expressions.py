"""Regular expressions of filters: what is taken, and what cannot keep the server busy."""

from __future__ import annotations

import pytest

from emulator.errors import ApiError
from emulator.logging.expressions import expression


@pytest.mark.parametrize(
    ("pattern", "text"),
    [("^Loss .* NaN", "Loss is NaN"), (r"step (\d+).*loss=(\d+\.\d+)", "step 1 loss=0.5"),
     ("(a|b)c?", "b"), ("(?i)oom", "OOM"), ("(abc)+", "abcabc"), (r"(\d{3})*$", "123456"),
     ("[a-z]+@x", "me@x")],
)  # fmt: skip
def test_what_is_taken(pattern: str, text: str) -> None:
    """Groups, classes, alternatives and repeats of what does not repeat."""
    assert expression(pattern).search(text)


@pytest.mark.parametrize(
    "pattern",
    ["(a+)+$", "(a|aa)*$", "((a*)b?)*", "(.*){30}x", "(?:x?)*y", "a" * 1_001, "(", r"(a)\1",
     "(?=a)b", "(?<!a)b", "a++", "(" * 400, "a?" * 30 + "a" * 30, "(a|aa)" * 13],
)  # fmt: skip
def test_what_could_take_for_ever_is_refused(pattern: str) -> None:
    """Nested repeats, what RE2 has not, and what is too long."""
    with pytest.raises(ApiError, match="Unparseable filter: regular expression") as refused:
        expression(pattern)
    assert refused.value.status == "INVALID_ARGUMENT"
