"""COVERAGE.md: each method of the APIs that clients use here, emulated or not; differences.md.

`python -m emulator.coverage` writes both again; a test compares them with what the code says.
"""

from __future__ import annotations

import json
import tomllib
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

FOLDER = Path(__file__).parent
NOTES = FOLDER / "coverage.toml"
FILE = FOLDER / "COVERAGE.md"
DIFFERENCES = FOLDER / "differences.toml"
DIFFERENCES_PAGE = FOLDER.parent / "docs" / "differences.md"
SERVICES = (
    "DatasetService",
    "PipelineService",
    "JobService",
    "ModelService",
    "EndpointService",
    "PredictionService",
    "TensorboardService",
    "MetadataService",
    "ScheduleService",
    "PersistentResourceService",
    "DeploymentResourcePoolService",
    "SpecialistPoolService",
)


def text() -> str:
    """The whole page, as Markdown."""
    notes = tomllib.loads(NOTES.read_text())
    lines = ["# What the local Google Cloud has", "", notes["introduction"].strip(), ""]
    for title, methods in notes["api"].items():
        lines += [f"## {title}", "", *_hand_written(methods), ""]
    lines += ["## Cloud Storage JSON v1", "", *_storage(notes["storage"]), ""]
    lines += ["## Cloud Storage XML", "", *_storage_xml(notes["xml"]), ""]
    lines += ["## Vertex AI v1", "", *_vertex(notes["vertex"])]
    lines += ["Where answers differ from Google's: [differences.md](../docs/differences.md)."]
    return "\n".join(lines) + "\n"


def differences() -> str:
    """The page of known differences, as Markdown."""
    lines = ["# Where the local cloud is not as Google", ""]
    lines += ["Written by `python -m emulator.coverage` from `emulator/differences.toml`."]
    lines += ["Method by method: [COVERAGE.md](../emulator/COVERAGE.md).", ""]
    for title, about in tomllib.loads(DIFFERENCES.read_text()).items():
        lines += [f"## {title}", "", *(f"- {item}" for item in about["items"]), ""]
    return "\n".join(lines)


def _hand_written(methods: Mapping[str, str]) -> Iterator[str]:
    yield "| method | emulated |"
    yield "|---|---|"
    for method, note in methods.items():
        yield f"| `{method}` | {note} |"


def _storage(notes: Mapping[str, str]) -> Iterator[str]:
    from emulator.storage.api import MISSING, ROUTES

    yield "| request | emulated | not checked |"
    yield "|---|---|---|"
    for method, root, path, _ in ROUTES:
        request = f"{method} {root}{path}"
        yield f"| `{request}` | yes | {notes.get(request, '')} |"
    for path in MISSING:
        yield f"| `{path}` | no: 501 | |"


def _storage_xml(notes: Mapping[str, str]) -> Iterator[str]:
    from emulator.storage.xml.api import ROUTES

    paths = {"service": "/", "bucket": "/BUCKET", "object": "/BUCKET/OBJECT"}
    yield "| request | emulated | not checked |"
    yield "|---|---|---|"
    for what, method, subresource in ROUTES:
        request = f"{method} {paths[what]}" + (f"?{subresource}" if subresource else "")
        yield f"| `{request}` | yes | {notes.get(request, '')} |"


def _vertex(notes: Mapping[str, str]) -> Iterator[str]:
    from emulator.aiplatform.handlers import HANDLERS, RAW_HANDLERS

    emulated = {*HANDLERS, *RAW_HANDLERS}
    for service in SERVICES:
        rpcs = _rpcs(service)
        there = sorted(rpc for rpc in rpcs if rpc in emulated)
        missing = sorted(rpc for rpc in rpcs if rpc not in emulated)
        yield f"### {service}: {len(there)} of {len(rpcs)}"
        yield ""
        yield "| method | emulated | not checked |"
        yield "|---|---|---|"
        for rpc in there:
            yield f"| `{rpc}` | yes | {notes.get(rpc, '')} |"
        for rpc in missing:
            yield f"| `{rpc}` | no: 501 UNIMPLEMENTED | |"
        yield ""


def _rpcs(service: str) -> set[str]:
    rows: list[dict[str, Any]] = json.loads(
        (FOLDER / "aiplatform" / "tables" / "routes.json").read_text()
    )
    return {row["rpc"] for row in rows if row["service"] == service}


if __name__ == "__main__":
    FILE.write_text(text())
    DIFFERENCES_PAGE.write_text(differences())
