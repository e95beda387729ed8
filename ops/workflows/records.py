"""`.ops/<stack>.json`: which stacks are known to live, where, since when, and how prepared.

A stack on Google is put there when it is first seen and taken away by its teardown, so that
nobody forgets one that is billed. A stack that was bootstrapped, on either target, is there with
who prepared it and with Terraform's outputs, which the other commands read.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, field, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from ops.cloud.session import CAPABILITIES
from ops.errors import Code, OpsError
from ops.settings import Settings

# 2 has prepared_by and outputs; 1 is read as a stack that nobody is known to have prepared.
VERSION = 2
TERRAFORM, OPS, NOBODY = "terraform", "ops", ""
BILLED = frozenset(target.value for target, can in CAPABILITIES.items() if can.bills)


@dataclass(frozen=True)
class Living:
    """A stack that was there when it was last looked for; `since` is when its bucket was made.

    `prepared_by` is `terraform`, `ops` or empty (not known); `outputs` are Terraform's.
    """

    stack: str
    target: str
    project: str
    bucket: str
    region: str
    since: str
    prepared_by: str = NOBODY
    outputs: Mapping[str, Any] = field(default_factory=dict)

    @property
    def teardown(self) -> str:
        """The command that ends it."""
        stack = "" if self.stack == "default" else f" --stack {self.stack}"
        return f"ops teardown --target {self.target} --project {self.project}{stack}"


def remember(settings: Settings, since: datetime) -> None:
    """Put the stack of these settings on record, if it is not there already."""
    known, seen = found(settings), _living(settings, since)
    if known is not None:
        seen = replace(seen, prepared_by=known.prepared_by, outputs=known.outputs)
    _keep(settings, seen)


def note(
    settings: Settings,
    prepared_by: str,
    outputs: Mapping[str, Any] | None = None,
    now: datetime | None = None,
) -> Living:
    """The stack of these settings, on record with who prepared it (TERRAFORM, OPS) and outputs.

    `outputs` are plain values by name, and take the place of what was there.
    """
    known = found(settings) or _living(settings, now or datetime.now(UTC))
    noted = replace(known, prepared_by=prepared_by, outputs=dict(outputs or {}))
    _keep(settings, noted)
    return noted


def found(settings: Settings) -> Living | None:
    """The stack of these settings as it is on record, or None."""
    return next((one for one in _read(_path(settings)) if _same(one, settings)), None)


def output(settings: Settings, name: str) -> str:
    """One of Terraform's outputs for the stack of these settings, as text; empty: not known."""
    living = found(settings)
    return str(living.outputs.get(name) or "") if living else ""


def forget(settings: Settings) -> None:
    """Take the stack of these settings off the record."""
    path = _path(settings)
    known = _read(path)
    left = [one for one in known if not _same(one, settings)]
    if not left:
        path.unlink(missing_ok=True)
    elif left != known:
        _write(path, left)


def elsewhere(settings: Settings) -> list[Living]:
    """The stacks on record, of any name, on another target than these settings', that may cost."""
    known = (one for path in sorted(settings.state_dir.glob("*.json")) for one in _read(path))
    return [one for one in known if one.target != settings.target.value and one.target in BILLED]


def _living(settings: Settings, since: datetime) -> Living:
    return Living(
        stack=settings.stack,
        target=settings.target.value,
        project=settings.project,
        bucket=settings.bucket,
        region=settings.region,
        since=since.isoformat(timespec="seconds"),
    )


def _keep(settings: Settings, living: Living) -> None:
    path = _path(settings)
    known = _read(path)
    if living not in known:
        _write(path, [*(one for one in known if not _same(one, settings)), living])


def _same(one: Living, settings: Settings) -> bool:
    return (one.target, one.project) == (settings.target.value, settings.project)


def _path(settings: Settings) -> Path:
    return settings.state_dir / f"{settings.stack}.json"


def _read(path: Path) -> list[Living]:
    try:
        return [Living(**one) for one in json.loads(path.read_text(encoding="utf-8"))["stacks"]]
    except FileNotFoundError:
        return []
    except (ValueError, KeyError, TypeError) as error:
        raise OpsError(
            Code.SETTINGS,
            f"{path} does not say which stacks live where: {error}.",
            "Correct it, or move it away if none of your stacks lives on Google.",
        ) from error


def _write(path: Path, stacks: Iterable[Living]) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    body = {"version": VERSION, "stacks": [asdict(one) for one in stacks]}
    new = path.with_name(path.name + ".new")
    new.write_text(json.dumps(body, indent=2) + "\n", encoding="utf-8")
    new.replace(path)
