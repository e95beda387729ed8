"""Exchanges recorded against Google: the same status, and every key of the recorded answer."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from uuid import uuid4

import httpx
import pytest

ROOT = Path(__file__).parents[3]
GOLDEN = ROOT.parent / "shared" / "golden"
LOGS = ["storagebucketbasic.log", "storagebucketsoftdelete.log", "storagebucketzero.log"]


@dataclass(frozen=True)
class Exchange:
    """One recorded request and its answer."""

    method: str
    path: str
    sent: Any
    status: int
    answered: Any


def exchanges(text: str) -> Iterator[Exchange]:
    """The recorded exchanges with Cloud Storage, in order."""
    for block in text.split("\n---\n"):
        parts = block.strip().split("\n\n")
        split = next(i for i, part in enumerate(parts) if re.match(r"\d{3} ", part))
        method, url = parts[0].splitlines()[0].split(" ", 1)
        sent = json.loads("\n\n".join(parts[1:split]) or "null")
        answered = json.loads("\n\n".join(parts[split + 1 :]) or "null")
        if url.startswith("https://storage.googleapis.com"):
            path = url.removeprefix("https://storage.googleapis.com")
            yield Exchange(method, path, sent, int(parts[split][:3]), answered)


def missing(wanted: Any, got: Any, path: str = "") -> list[str]:
    """The paths of keys in `wanted` that `got` has not."""
    if isinstance(wanted, dict):
        lacking = [f"{path}/{key}" for key in wanted if not isinstance(got, dict) or key not in got]
        if lacking:
            return lacking
        return [p for key in wanted for p in missing(wanted[key], got[key], f"{path}/{key}")]
    if isinstance(wanted, list) and isinstance(got, list):
        if len(got) < len(wanted):
            return [f"{path}[{len(got)}]"]
        pairs = enumerate(zip(wanted, got, strict=False))
        return [p for place, (a, b) in pairs for p in missing(a, b, f"{path}[{place}]")]
    return []


@pytest.mark.parametrize("log", LOGS)
def test_recorded_exchanges(http: httpx.Client, log: str) -> None:
    """Replayed in order, each answer has Google's status and every key that Google answered."""
    if not GOLDEN.is_dir():
        pytest.skip("needs the recorded exchanges in ../shared/golden")
    text = (GOLDEN / log).read_text()
    text = text.replace("${uniqueId}", uuid4().hex[:10]).replace("${projectId}", "golden-project")
    problems = []

    for exchange in exchanges(text):
        answer = http.request(exchange.method, exchange.path, json=exchange.sent)
        got = answer.json() if answer.content else None
        # The recorded list shows folders of a fixture that these logs never make.
        wanted = {} if exchange.path.split("?")[0].endswith("/o") else exchange.answered
        if answer.status_code != exchange.status or missing(wanted, got):
            problems.append(
                (exchange.method, exchange.path, answer.status_code, missing(wanted, got))
            )

    assert not problems
