"""A contact sheet of what was imported: one HTML file with small copies of some photos a label."""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime
from importlib.resources import files
from pathlib import Path
from typing import Any

from ops.data.decode import quiet_about_large_photos
from ops.data.photos import Named, read_place
from ops.data.problems import BadPhotoError
from ops.data.split import counts
from ops.data.thumbnail import Thumbnail, thumbnail
from ops.parallel import in_order
from ops.progress import Progress
from ops.settings import Settings
from ops.workflows.import_dataset import ImportPlan

FOLDER = "sheets"
PAGE, STYLE = "contact_sheet.html.j2", "contact_sheet.css"
MOST_OF_A_LABEL = 30
# 3,781 photos are imported in about four seconds on two cores; 300 small copies take 0.4 s of it.
MOST_PICTURES = 300
LONGEST_SIDE_PIXELS = 96
THREADS = 4
UNLABELLED = "(no label)"


def default_path(settings: Settings, plan: ImportPlan) -> Path:
    """`.ops/<stack>/sheets/<name>-<digest>.html`."""
    file = f"{plan.found.name}-{plan.digest[:12]}.html"
    return settings.state_dir / settings.stack / FOLDER / file


def write(plan: ImportPlan, path: Path, progress: Progress, now: datetime | None = None) -> Path:
    """The sheet's path, written as a whole; OSError when it cannot be.

    A photo that cannot be read any more is left out.
    """
    groups = _groups(plan)
    wanted = {one.photo.sha256: one for photos in groups.values() for one in photos}
    small: dict[str, Thumbnail] = {}
    with (
        progress.step("Contact sheet", len(wanted), "pictures") as step,
        quiet_about_large_photos(),
    ):
        for sha256, found in zip(wanted, in_order(_small, wanted.values(), THREADS), strict=True):
            step.advance()
            if found is not None:
                small[sha256] = found
    html = _rendered(_view(plan, groups, small, now or datetime.now(UTC)))
    path.parent.mkdir(parents=True, exist_ok=True)
    beside = path.with_name(f".{path.name}.part")
    try:
        beside.write_text(html, encoding="utf-8")
        beside.replace(path)
    finally:
        beside.unlink(missing_ok=True)
    return path


def _small(named: Named) -> Thumbnail | None:
    try:
        return thumbnail(read_place(named.photo.place), LONGEST_SIDE_PIXELS)
    except BadPhotoError:
        return None


def _by_label(photos: Iterable[Named]) -> dict[str, list[Named]]:
    """The photos of each label, the labels by name; those without any at the end."""
    found: dict[str, list[Named]] = {}
    for named in photos:
        for label in named.labels or ("",):
            found.setdefault(label, []).append(named)
    return {label: found[label] for label in sorted(found, key=lambda one: (not one, one))}


def _groups(plan: ImportPlan) -> dict[str, list[Named]]:
    """The photos to show of each label, by hash: as many of each, and not too many in all."""
    every = _by_label(plan.found.checked.photos)
    most = max(1, min(MOST_OF_A_LABEL, MOST_PICTURES // len(every)))
    shown = list(every)[:MOST_PICTURES]
    return {
        label: sorted(every[label], key=lambda named: named.photo.sha256)[:most] for label in shown
    }


def _view(
    plan: ImportPlan,
    groups: Mapping[str, Sequence[Named]],
    small: Mapping[str, Thumbnail],
    now: datetime,
) -> dict[str, Any]:
    """What the template shows, as plain values."""
    every = _by_label(plan.found.checked.photos)
    splits = {row.sha256: row.split for row in plan.rows}
    kind = "Multi-label data set" if plan.multi_label else "Data set"
    labels = len(plan.labels)
    more = f", of which {len(groups):,} are shown" if len(groups) < len(every) else ""
    return {
        "title": f"{kind} {plan.found.name}",
        "about": f"{len(plan.rows):,} photos, {labels:,} labels{more}, digest {plan.digest[:12]}.",
        "notes": list(plan.remarks),
        "groups": [
            {
                "name": label or UNLABELLED,
                "count": f"{len(every[label]):,}",
                "words": _words(every[label], splits, len(photos)),
                "photos": [
                    _figure(one, small[one.photo.sha256], splits)
                    for one in photos
                    if one.photo.sha256 in small
                ],
            }
            for label, photos in groups.items()
        ],
        "footer": f"Written {now:%Y-%m-%d %H:%M} UTC by ops import-dataset.",
    }


def _words(every: Sequence[Named], splits: Mapping[str, str], shown: int) -> str:
    found = counts(splits[named.photo.sha256] for named in every)
    said = ", ".join(f"{number:,} {split}" for split, number in found.items() if number)
    part = f"; {shown} of {len(every):,} photos shown" if shown < len(every) else ""
    return (said or "stored, not trained on") + part


def _figure(named: Named, small: Thumbnail, splits: Mapping[str, str]) -> dict[str, Any]:
    labels = ", ".join(named.labels) or UNLABELLED
    return {
        "uri": small.uri,
        "width": small.width,
        "height": small.height,
        "split": splits[named.photo.sha256],
        "title": f"{named.source or named.where}\n{labels}",
        "alt": labels,
    }


def _rendered(page: Mapping[str, Any]) -> str:
    """The template filled in: every value is escaped, and the page may load and run nothing."""
    from jinja2 import Environment, PackageLoader, StrictUndefined

    environment = Environment(
        loader=PackageLoader("ops", "pages"), autoescape=True, undefined=StrictUndefined
    )
    style = files("ops").joinpath("pages", STYLE).read_text(encoding="utf-8")
    digest = base64.b64encode(hashlib.sha256(style.encode()).digest()).decode()
    policy = f"default-src 'none'; img-src data:; style-src 'sha256-{digest}'; base-uri 'none'"
    return environment.get_template(PAGE).render(page=page, style=style, policy=policy)
