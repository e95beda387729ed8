"""Globs: the same by a regular expression and by following all ways at once, and never slow."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import settings as examples
from hypothesis import strategies as st

from emulator.storage.globs import Places, literal_prefix, pattern

NAMES = ["foo/bar", "foo/baz", "foo/foobar", "foobar", "a.txt", "a*b"]
PIECES = [
    "*",
    "**",
    "**/",
    "?",
    "a",
    "b",
    "/",
    "[ab]",
    "[!a]",
    "{a,b*}",
    "{*,/b}",
    "{a,{b,**}}",
    ",",
]


@pytest.mark.parametrize(
    ("glob", "found"),
    [
        ("foo*bar", ["foobar"]),
        ("foo**bar", ["foo/bar", "foo/foobar", "foobar"]),
        ("**/foobar", ["foo/foobar", "foobar"]),
        ("*/ba[rz]", ["foo/bar", "foo/baz"]),
        ("*/ba[!a-y]", ["foo/baz"]),
        ("**/{foobar,baz}", ["foo/baz", "foo/foobar", "foobar"]),
        ("foo/{foo*,*baz}", ["foo/baz", "foo/foobar"]),
        ("a\\*b", ["a*b"]),
        ("?.txt", ["a.txt"]),
        ("**", NAMES),
        ("", []),
    ],
)
def test_what_matches(glob: str, found: list[str]) -> None:
    """Stars, sets, braces, and a backslash before what is to be taken as it is."""
    assert [name for name in NAMES if pattern(glob).matches(name)] == found


@examples(max_examples=200, deadline=None)
@given(st.lists(st.sampled_from(PIECES), max_size=7), st.text(alphabet="ab/,", max_size=8))
def test_both_ways_agree(pieces: list[str], name: str) -> None:
    """Whatever the pattern and the name."""
    glob = pattern("".join(pieces))

    assert Places(name).after(glob.tokens) == (glob.expression.fullmatch(name) is not None)


@pytest.mark.parametrize("glob", ["*a" * 30 + "b", "{a,a}" * 30 + "b", "**/" * 30 + "b"])
def test_the_worst_patterns(glob: str) -> None:
    """What would take a regular expression years is done at once."""
    assert not pattern(glob).matches("a" * 1000)
    assert not pattern(glob).matches("a/" * 500)


@pytest.mark.parametrize(
    ("glob", "prefix"), [("a/b*", "a/b"), ("*", ""), ("a{b,c}", "a"), ("a/b", "a/b"), ("a\\*", "a")]
)
def test_what_all_names_start_with(glob: str, prefix: str) -> None:
    """It narrows a list to names that can match at all."""
    assert literal_prefix(glob) == prefix
