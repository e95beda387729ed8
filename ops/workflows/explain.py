"""Why the deployed model answers photos as it does: numbers, and a picture for each."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ops.cloud import explanations
from ops.cloud.explanations import Asked, Explanation
from ops.data.shrink import prepare_photo
from ops.errors import Code, OpsError
from ops.ledger import Ledger
from ops.progress import Progress
from ops.settings import Settings
from ops.workflows.predict import OF_THE_PHOTO, Served, find_served, refuse_folder

FOLDER = "explanations"
PAGE_FILE = "explanations.html"
SUFFIX = "-explained"


@dataclass(frozen=True)
class Explained:
    """A photo's explanation for one label in the user's own name, and where its picture lies."""

    key: str
    label: str
    found: Explanation
    picture: Path | None
    note: str | None = None

    def as_json(self) -> dict[str, Any]:
        """Plain JSON; the picture by its path."""
        found = self.found
        return {
            "key": self.key,
            "label": self.label,
            "score": found.score,
            "baseline_score": found.baseline_score,
            "completeness_error": found.error,
            "regions": [dict(region) for region in found.regions],
            "map": [list(row) for row in found.cells],
            "photo": dict(found.photo),
            "square": dict(found.square),
            "picture": str(self.picture) if self.picture else None,
            "note": self.note,
        }


@dataclass(frozen=True)
class Explanations:
    """What was explained, in the order of the photos, and the photos that could not be."""

    served: Served
    method: str
    explained: tuple[Explained, ...]
    failed: tuple[tuple[str, OpsError], ...]
    page: Path | None = None

    def as_json(self) -> dict[str, Any]:
        """Plain JSON."""
        return {
            "endpoint": self.served.endpoint,
            "model": self.served.model,
            "method": self.method,
            "explanations": [one.as_json() for one in self.explained],
            "failed": [{"key": key, "error": _as_json(error)} for key, error in self.failed],
            "page": str(self.page) if self.page else None,
        }


def default_folder(settings: Settings) -> Path:
    """`.ops/<stack>/explanations`."""
    return settings.state_dir / settings.stack / FOLDER


def run(
    ledger: Ledger,
    photos: Sequence[Path],
    folder: Path,
    progress: Progress,
    explain: Callable[[Exception], OpsError],
    asked: Asked,
    *,
    endpoint: str | None = None,
) -> Explanations:
    """Explanations of every photo, one after the other, their pictures in `folder`.

    A photo that cannot be used has its error beside; where none can, the first one's is raised.
    `explain` gives the OpsError of any exception. NOTHING_DEPLOYED when nothing is; NOT_FOUND for a
    label that the model does not have.
    """
    served = find_served(ledger, endpoint)
    wanted = Asked(asked.method, asked.steps, _safe(served, asked.labels))
    done: list[Explained] = []
    failed: list[tuple[str, OpsError]] = []
    files = _Files(folder)
    with progress.step("Explaining", len(photos), "photos") as step:
        for photo in photos:
            try:
                done += _one(ledger, served, wanted, photo, files)
            except Exception as error:
                said = explain(error)
                if said.code not in OF_THE_PHOTO:
                    raise
                failed.append((str(photo), said))
            step.advance()
    if not done:
        raise failed[0][1]
    return Explanations(served, asked.method, tuple(done), tuple(failed))


def _one(
    ledger: Ledger, served: Served, asked: Asked, photo: Path, files: _Files
) -> list[Explained]:
    refuse_folder(photo, "explain")
    prepared, key = prepare_photo(photo), str(photo)
    found = explanations.ask(
        ledger.session, served.endpoint, served.kind, prepared.content, key, asked
    )
    own, several = served.class_names, len(found) > 1
    return [
        Explained(
            key,
            own.get(one.label, one.label),
            one,
            files.write(photo, one.label if several else "", one.picture),
            prepared.note,
        )
        for one in found
    ]


def _safe(served: Served, labels: Sequence[str]) -> tuple[str, ...]:
    """The labels as the model knows them. NOT_FOUND for one that it does not have."""
    known = {own: safe for safe, own in served.class_names.items()}
    safe = set(served.class_names)
    for label in labels:
        if known and label not in known and label not in safe:
            names = ", ".join(sorted(known))
            raise OpsError(
                Code.NOT_FOUND,
                f"The deployed model has no label {label}.",
                f"Its labels: {names}",
            )
    return tuple(known.get(label, label) for label in labels)


class _Files:
    """The pictures of one call, none in another's place."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._taken: set[str] = set()

    def write(self, photo: Path, label: str, picture: bytes) -> Path | None:
        """`<photo>-explained.jpg`, with the label where there are several; None of no picture."""
        if not picture:
            return None
        part = f"-{re.sub(r'[^A-Za-z0-9_]+', '_', label)}" if label else ""
        name = base = f"{photo.stem}{part}{SUFFIX}"
        number = 1
        while name in self._taken:
            number += 1
            name = f"{base}-{number}"
        self._taken.add(name)
        self._folder.mkdir(parents=True, exist_ok=True)
        path = self._folder / f"{name}.jpg"
        path.write_bytes(picture)
        return path


def _as_json(error: OpsError) -> Mapping[str, str]:
    return {"code": error.code, "message": error.message, "hint": error.hint}
