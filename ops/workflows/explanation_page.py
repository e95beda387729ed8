"""Explanations as one HTML file that needs no network: each picture with its numbers."""

from __future__ import annotations

import base64
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from ops import names
from ops.settings import Settings
from ops.workflows.evaluation_page import put, render
from ops.workflows.explain import PAGE_FILE, Explained, Explanations

TEMPLATE = "explanations.html.j2"
METHODS = {
    "xrai": "Regions by XRAI: what keeps its colours raised the score most.",
    "ig": "Pixels by integrated gradients: what glows raised the score most.",
}


def write(
    done: Explanations, folder: Path, settings: Settings, now: datetime | None = None
) -> Explanations:
    """The same, with the page's path; OSError when it cannot be written."""
    pictures = sum(one.picture is not None for one in done.explained)
    html = render(view(done, settings, now or datetime.now(UTC)), TEMPLATE, script="")
    written = put(folder / PAGE_FILE, html, pictures=pictures, unreadable=0)
    return replace(done, page=written.path)


def view(done: Explanations, settings: Settings, now: datetime) -> dict[str, Any]:
    """What the template shows, as plain values."""
    photos = len({one.key for one in done.explained})
    return {
        "title": "Why the model answers so",
        "about": f"{photos} photo{'s' if photos != 1 else ''}. {METHODS[done.method]}",
        "model": done.served.model,
        "explanations": [_one(one) for one in done.explained],
        "footer": f"Written {now:%Y-%m-%d %H:%M} UTC by ops explain; project {settings.project}, "
        f"stack {settings.stack}, endpoint {names.resource_id(done.served.endpoint)}.",
    }


def _one(one: Explained) -> dict[str, Any]:
    src = ""
    if one.picture is not None:
        src = f"data:image/jpeg;base64,{base64.b64encode(one.picture.read_bytes()).decode()}"
    return {
        "key": one.key,
        "label": one.label,
        "score": one.found.score,
        "src": src,
        "alt": f"{Path(one.key).name}, with what speaks for {one.label} left bright",
        "words": words(one),
        "regions": [
            {
                "share": f"{region['share']:.0%}",
                "area": f"{region['area']:.0%}",
                "begin": f"{region['left']:g}, {region['top']:g}",
                "end": f"{region['right']:g}, {region['bottom']:g}",
            }
            for region in one.found.regions
        ],
    }


def words(one: Explained) -> str:
    """What the attributions add up to, and how far they miss it."""
    found = one.found
    return (
        f"The score is {found.score:.3f}, {found.baseline_score:.3f} without a picture; the parts "
        f"add up to that difference within {found.error:.1%}."
    )
