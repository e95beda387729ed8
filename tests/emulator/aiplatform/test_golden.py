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

from tests.emulator.vertex import Vertex

GOLDEN = Path(__file__).parents[4] / "shared" / "golden"
HOST = "https://us-central1-aiplatform.googleapis.com"


IDS = {"datasetID": "datasets", "tensorboardID": "tensorboards", "operationID": "operations"}
LOGS = [
    "vertexaidatasetbasic.log",
    "vertexaiendpointbasic.log",
    "vertexaitensorboard.log",
    "metadatastorebasic.log",
]


@dataclass(frozen=True)
class Exchange:
    """One recorded request and its answer."""

    method: str
    path: str
    sent: Any
    status: int
    answered: Any


def exchanges(text: str) -> Iterator[Exchange]:
    """The recorded exchanges with Vertex AI, in order."""
    for block in text.split("\n---\n"):
        parts = block.strip().split("\n\n")
        split = next(i for i, part in enumerate(parts) if re.match(r"\d{3} ", part))
        method, url = parts[0].splitlines()[0].split(" ", 1)
        sent = json.loads("\n\n".join(parts[1:split]) or "null")
        answered = json.loads("\n\n".join(parts[split + 1 :]) or "null")
        if url.startswith(HOST):
            path = url.removeprefix(HOST).removeprefix(":443")
            yield Exchange(method, path, sent, int(parts[split][:3]), answered)


def missing(wanted: Any, got: Any, path: str = "") -> list[str]:
    """The paths of keys in `wanted` that `got` has not."""
    if not isinstance(wanted, dict):
        return []
    lacking = [f"{path}/{key}" for key in wanted if key not in (got or {})]
    return lacking or [
        one for key in wanted for one in missing(wanted[key], got[key], f"{path}/{key}")
    ]


def placed(text: str, values: dict[str, str]) -> str:
    """A recorded path with this run's ids in the place of `${…}`."""
    return re.sub(r"\$\{(\w+)\}", lambda found: values.get(found.group(1), found.group(0)), text)


def learn(values: dict[str, str], answer: Any) -> None:
    """Takes the ids of datasets, tensorboards and operations from the name in an answer."""
    name = str((answer or {}).get("name", ""))
    for key, collection in IDS.items():
        if found := re.search(rf"/{collection}/(\d+)", name):
            values[key] = found.group(1)


@pytest.mark.parametrize("log", LOGS)
def test_recorded_exchanges(vertex: Vertex, log: str) -> None:
    """Replayed in order, each answer has Google's status and every key that Google answered."""
    if not GOLDEN.is_dir():
        pytest.skip("needs the recorded exchanges in ../shared/golden")
    bucket = vertex.get(vertex.dataset())["metadata"]["gcsBucket"]
    values = {
        "projectId": vertex.project,
        "projectNumber": bucket.rsplit("-", 1)[1],
        "uniqueId": uuid4().hex[:10],
    }
    problems = []
    with httpx.Client(base_url=vertex.url, timeout=30) as client:
        for exchange in exchanges((GOLDEN / log).read_text()):
            path = placed(exchange.path, values)
            answer = client.request(exchange.method, path, json=exchange.sent)
            learn(values, answer.json())
            lacking = missing(exchange.answered, answer.json())
            if answer.status_code != exchange.status or lacking:
                problems.append((exchange.method, path, answer.status_code, lacking))

    assert not problems


def test_a_missing_endpoint_is_told_in_the_recorded_words(vertex: Vertex) -> None:
    """Word for word what Google answered."""
    name = f"{vertex.parent}/endpoints/none"

    answer = vertex.call("GET", name, version="v1beta1")

    assert answer.json()["error"] == {
        "code": 404,
        "message": f'endpoint "{name}" not found',
        "status": "NOT_FOUND",
    }
