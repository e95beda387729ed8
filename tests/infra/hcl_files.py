"""What the Terraform files say, read without Terraform: variables, outputs, resources, text."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import hcl2

from tests.local_cloud import ROOT

INFRA = ROOT / "infra"
MODULES = sorted(path for path in (INFRA / "modules").iterdir() if path.is_dir())
FOLDERS = [INFRA, *MODULES]
# terraform fmt writes an attribute of a block with two spaces before it.
ATTRIBUTE = r"^  {name} +=[ \n]*(.*?)(?=^  [a-z]|^}}|\n\n)"


@dataclass(frozen=True)
class Declared:
    """A variable or an output, as its file has it; `type` and `default` in HCL's own words."""

    name: str
    description: str
    type: str
    default: str | None
    validations: int


def name_of(folder: Path) -> str:
    """The folder as a person reads it: `infra`, `infra/modules/bucket`."""
    return folder.relative_to(ROOT).as_posix()


def files(folder: Path) -> list[Path]:
    """The `.tf` files of one module."""
    return sorted(folder.glob("*.tf"))


@cache
def parsed(path: Path) -> dict[str, Any]:
    """A file's blocks by their kind."""
    options = hcl2.SerializationOptions(strip_string_quotes=True, with_comments=False)
    found: dict[str, Any] = hcl2.loads(path.read_text(), serialization_options=options)
    return found


def blocks(folder: Path, kind: str) -> Iterator[tuple[Path, dict[str, Any]]]:
    """Every block of a kind in a module: its file, and `{label: …}`."""
    for path in files(folder):
        for block in parsed(path).get(kind, []):
            yield path, block


def variables(folder: Path) -> list[Declared]:
    """The variables of a module, in the order of the file."""
    return [_declared(path, "variable", block) for path, block in blocks(folder, "variable")]


def outputs(folder: Path) -> list[Declared]:
    """The outputs of a module, in the order of the file."""
    return [_declared(path, "output", block) for path, block in blocks(folder, "output")]


def resources(folder: Path) -> list[tuple[str, str]]:
    """(type, name) of every resource of a module."""
    return [
        (kind, name)
        for _, block in blocks(folder, "resource")
        for kind, named in block.items()
        for name in named
    ]


def _declared(path: Path, kind: str, block: dict[str, Any]) -> Declared:
    ((name, body),) = block.items()
    text = _text_of(path, kind, name)
    return Declared(
        name,
        str(body.get("description", "")),
        _attribute(text, "type") or "",
        _attribute(text, "default"),
        len(body.get("validation", [])),
    )


def _text_of(path: Path, kind: str, name: str) -> str:
    """The lines of one block."""
    found = re.search(rf'^{kind} "{name}" {{\n(.*?^}})$', path.read_text(), re.M | re.S)
    assert found is not None, f"{path}: {kind} {name}"
    return found[1]


def _attribute(text: str, name: str) -> str | None:
    """An attribute's value as it is written, on one line."""
    found = re.search(ATTRIBUTE.format(name=name), text, re.M | re.S)
    return None if found is None else _on_one_line(found[1].strip())


def _on_one_line(value: str) -> str:
    """An object's attributes, a line each, with commas between them."""
    value = re.sub(r"(?<=\{)\n\s*|\n\s*(?=\})", " ", value)
    return re.sub(r" +", " ", re.sub(r"\n\s*", ", ", value))
