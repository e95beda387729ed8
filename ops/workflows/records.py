"""`.ops/<stack>.json`: which stacks are known to live, where, and since when.

A stack on Google is put there when it is first seen and taken away by its teardown, so that
nobody forgets one that is billed.
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import asdict, dataclass
from datetime import datetime
from pathlib import Path

from ops.errors import Code, OpsError
from ops.settings import Settings

VERSION = 1


@dataclass(frozen=True)
class Living:
    """A stack that was there when it was last looked for; `since` is when its bucket was made."""

    stack: str
    target: str
    project: str
    bucket: str
    region: str
    since: str

    @property
    def teardown(self) -> str:
        """The command that ends it."""
        stack = "" if self.stack == "default" else f" --stack {self.stack}"
        return f"ops teardown --target {self.target} --project {self.project}{stack}"


def remember(settings: Settings, since: datetime) -> None:
    """Put the stack of these settings on record, if it is not there already."""
    living = Living(
        stack=settings.stack,
        target=settings.target.value,
        project=settings.project,
        bucket=settings.bucket,
        region=settings.region,
        since=since.isoformat(timespec="seconds"),
    )
    path = _path(settings)
    known = _read(path)
    if living not in known:
        _write(path, [*(one for one in known if not _same(one, settings)), living])


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
    """The stacks on record, of any name, that live on another target than these settings'."""
    found = (one for path in sorted(settings.state_dir.glob("*.json")) for one in _read(path))
    return [one for one in found if one.target != settings.target.value]


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
