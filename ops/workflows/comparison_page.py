"""The comparison of two models as one HTML file that needs no network."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from ops.data.thumbnail import Thumbnail
from ops.ledger import Ledger
from ops.progress import Progress
from ops.settings import Settings
from ops.workflows import evaluation_pictures as pictures
from ops.workflows.compare import Compared, Pair
from ops.workflows.evaluation_page import Written, put, render, share, tile
from ops.workflows.evaluation_parts import TINY_PIXELS, photos

TEMPLATE = "comparison.html.j2"
OF_A_WAY = 60
LIKELY_CHANCE = 0.05


def write(
    ledger: Ledger, found: Compared, path: Path, progress: Progress, now: datetime | None = None
) -> Written:
    """The page at `path`, replaced as a whole; OSError when it cannot be written."""
    shown = [*_of(found, a_right=True)[:OF_A_WAY], *_of(found, a_right=False)[:OF_A_WAY]]
    read = pictures.fetch(ledger.session, [pair.a for pair in shown], progress)
    page = view(found, read.found, ledger.session.settings, now or datetime.now(UTC))
    html = render(page, TEMPLATE, script="")
    return put(path, html, pictures=len(read.found), unreadable=read.unreadable)


def view(
    found: Compared, small: Mapping[str, Thumbnail], settings: Settings, now: datetime
) -> dict[str, Any]:
    """What the template shows, as plain values."""
    lacking = {one.without_photos for one in (found.a, found.b)} - {""}
    return {
        "title": f"{found.a.short} and {found.b.short}",
        "note": found.note,
        "a": {"model": found.a.model},
        "b": {"model": found.b.model},
        "tiles": _tiles(found),
        "ways": _ways(found) if found.pairs is not None else None,
        "verdict": verdict(found),
        "threshold": found.a.overall.threshold,
        "labels": _labels(found),
        "without_photos": " ".join(sorted(lacking)),
        "groups": _groups(found, small) if found.pairs is not None else [],
        "footer": f"Written {now:%Y-%m-%d %H:%M} UTC by ops evaluate --compare; project "
        f"{settings.project}, stack {settings.stack}.",
    }


def verdict(found: Compared) -> str:
    """In a sentence, whether one of the two may be called better."""
    only_a, only_b, p = found.count(True, False), found.count(False, True), found.p_value
    if only_a == only_b:
        return f"Neither is ahead: each is right on {photos(only_a)} that the other has wrong."
    ahead, more, less = ("A", only_a, only_b) if only_a > only_b else ("B", only_b, only_a)
    likely = (
        "may well be chance: more test photos would tell"
        if p >= LIKELY_CHANCE
        else "is unlikely to be chance"
    )
    return (
        f"{ahead} is right on {photos(more)} that the other has wrong, and wrong on {less:,} that "
        f"it has right. So uneven a result {likely} (p = {p:.3g})."
    )


def _tiles(found: Compared) -> list[dict[str, str]]:
    tiles = []
    for name, one in (("A", found.a), ("B", found.b)):
        accuracy = one.headline()["accuracy"]
        figures = f"auPRC {share(one.au_prc)}, F1 {share(one.overall.f1)}"
        value = share(one.au_prc) if accuracy is None else f"{accuracy:.1%}"
        tiles.append(tile(f"{name} right" if accuracy is not None else name, value, figures))
    if found.pairs is not None:
        same = f"{found.same / len(found.pairs):.1%}"
        tiles.append(tile("Same answer", same, f"of {photos(len(found.pairs))}"))
        tiles.append(tile("p-value", f"{found.p_value:.3g}", "McNemar's exact test"))
    return tiles


def _ways(found: Compared) -> dict[str, int]:
    return {
        "both": found.count(True, True),
        "only_a": found.count(True, False),
        "only_b": found.count(False, True),
        "neither": found.count(False, False),
    }


def _labels(found: Compared) -> list[dict[str, Any]]:
    others = {row.label: row.at.f1 for row in found.b.labels}
    rows = [
        {"name": row.label, "a": row.at.f1, "b": other, "change": other - row.at.f1}
        for row in found.a.labels
        if row.at.f1 is not None and (other := others.get(row.label)) is not None
    ]
    return sorted(rows, key=lambda row: (-abs(row["change"]), row["name"]))


def _of(found: Compared, *, a_right: bool) -> list[Pair]:
    pairs = [pair for pair in found.differing if pair.a_right == a_right]
    return sorted(pairs, key=lambda pair: (-found.sure_of_mistake(pair), pair.a.uri))


def _groups(found: Compared, small: Mapping[str, Thumbnail]) -> list[dict[str, Any]]:
    groups = []
    for title, a_right in (("Only A is right", True), ("Only B is right", False)):
        pairs: Sequence[Pair] = _of(found, a_right=a_right)
        figures = [
            _figure(found, pair, small[pair.a.uri])
            for pair in pairs[:OF_A_WAY]
            if pair.a.uri in small
        ]
        if pairs:
            groups.append({"title": title, "count": len(pairs), "figures": figures})
    return groups


def _figure(found: Compared, pair: Pair, small: Thumbnail) -> dict[str, Any]:
    figure: dict[str, Any] = {
        "src": small.uri,
        "file": pair.a.file,
        "width": small.width,
        "height": small.height,
        "tiny": max(small.width, small.height) <= TINY_PIXELS,
        "true": ", ".join(pair.a.true) or "nothing",
        "a_right": pair.a_right,
        "b_right": pair.b_right,
    }
    for side, one, row in (("a", found.a, pair.a), ("b", found.b, pair.b)):
        assert one.photos is not None
        said = one.photos.said(row, found.threshold)
        figure[side] = ", ".join(said) or "nothing"
        figure[f"{side}_score"] = ", ".join(f"{row.scores[label]:.2f}" for label in said)
    return figure
