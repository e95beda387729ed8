"""The evaluation as one HTML file that needs no network: pictures, style and script are inside."""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from importlib.resources import files
from pathlib import Path
from typing import Any

from ops import names
from ops.errors import Code, OpsError
from ops.ledger import Ledger
from ops.progress import Progress
from ops.settings import Settings
from ops.workflows import evaluation_parts as parts
from ops.workflows import evaluation_pictures as pictures
from ops.workflows.evaluate import Evaluated
from ops.workflows.evaluate_metrics import wilson
from ops.workflows.evaluation_chart import BOX, chart, triples

FOLDER = "evaluations"
PAGE, STYLE, SCRIPT = "evaluation.html.j2", "evaluation.css", "evaluation.js"


@dataclass(frozen=True)
class Written:
    """Where a page lies, its size, and how many pictures it has and lacks."""

    path: Path
    size_bytes: int
    pictures: int
    unreadable: int


def default_path(settings: Settings, *evaluated: Evaluated) -> Path:
    """`.ops/<stack>/evaluations/<model>.html`; of two models `<A>-<B>.html`."""
    name = "-".join(one.short for one in evaluated)
    return settings.state_dir / settings.stack / FOLDER / f"{name}.html"


def check(path: Path | None) -> None:
    """USAGE when `--html` names a folder, or a file in a folder that is not there."""
    if path is not None and path.is_dir():
        raise OpsError(
            Code.USAGE,
            f"--html is a file. {path} is a folder.",
            f"Type --html {path / 'evaluation.html'}",
        )
    if path is not None and not path.parent.exists():
        raise OpsError(
            Code.USAGE,
            f"--html {path}: there is no folder {path.parent}.",
            f"Type: mkdir -p {path.parent}   and the same command again, or --html {path.name}",
        )


def write(
    ledger: Ledger,
    evaluated: Evaluated,
    path: Path,
    progress: Progress,
    *,
    most_pictures: int = pictures.MOST_PICTURES,
    now: datetime | None = None,
) -> Written:
    """The page at `path`, replaced as a whole; OSError when it cannot be written."""
    rows = pictures.choose(evaluated, most_pictures)
    read = pictures.fetch(ledger.session, rows, progress)
    figures = parts.figures(evaluated, rows, read.found)
    html = render(view(evaluated, figures, ledger.session.settings, now or datetime.now(UTC)))
    return put(path, html, pictures=len(figures), unreadable=read.unreadable)


def put(path: Path, html: str, *, pictures: int, unreadable: int) -> Written:
    """The file, written beside and then put in the place of an earlier one."""
    path.parent.mkdir(parents=True, exist_ok=True)
    beside = path.with_name(f".{path.name}.part")
    beside.write_text(html, encoding="utf-8")
    beside.replace(path)
    return Written(path, len(html.encode()), pictures, unreadable)


def render(page: Mapping[str, Any], template: str = PAGE, script: str = SCRIPT) -> str:
    """The template filled in; every value is escaped, and nothing else may load or run.

    The policy names the very style and script by their digests: a label name that looked like a
    script would be text, and even if not, would not run.
    """
    from jinja2 import Environment, PackageLoader, StrictUndefined

    environment = Environment(
        loader=PackageLoader("ops", "pages"), autoescape=True, undefined=StrictUndefined
    )
    environment.filters["share"] = share
    style, code = _file(STYLE), _file(script) if script else ""
    allowed = _digest(code) if code else "'none'"
    policy = (
        f"default-src 'none'; img-src data:; style-src {_digest(style)}; "
        f"script-src {allowed}; base-uri 'none'; form-action 'none'"
    )
    filled = environment.get_template(template)
    return filled.render(page=page, style=style, script=code, policy=policy)


def view(
    evaluated: Evaluated, figures: list[dict[str, Any]], settings: Settings, now: datetime
) -> dict[str, Any]:
    """What the template shows, as plain values."""
    thresholds = [row.threshold for row in evaluated.curve]
    overall = triples(evaluated.curve, thresholds)
    start = _nearest(thresholds, evaluated.overall.threshold)
    rows = parts.labels(evaluated, thresholds, start)
    names_in_place = parts.label_names(evaluated)
    place = {name: index for index, name in enumerate(names_in_place)}
    curves = [
        {"name": row["name"], "number": place.get(row["name"], -1), "curve": row["curve"]}
        for row in rows
    ]
    confusion = evaluated.confusion
    wrong = sum(figure["wrong"] for figure in figures)
    data = {"thresholds": thresholds, "overall": overall, "box": BOX, "labels": curves}
    return {
        **_words(evaluated, wrong, settings, now),
        "tiles": tiles(evaluated),
        "thresholds": thresholds,
        "overall": overall,
        "start": start,
        "chart": chart(overall, start) if thresholds else None,
        "labels": rows,
        "matrix": parts.matrix(confusion) if confusion else None,
        "mixed": parts.mixed(confusion),
        "figures": figures,
        "wrong": len(evaluated.mistakes),
        "more": max(0, wrong - parts.WORST_AT_FIRST),
        "data": {**data, "names": names_in_place},
    }


def _words(evaluated: Evaluated, wrong: int, settings: Settings, now: datetime) -> dict[str, str]:
    count = evaluated.headline()["photos"]
    known = "the test photos" if count is None else f"{count:,} test photos"
    mixed = evaluated.confusion.mixed_up() if evaluated.confusion else []
    shown = min(len(mixed), parts.MOST_MIXED)
    of_run = f", trained by {evaluated.run}" if evaluated.run else ""
    return {
        "title": f"Evaluation of {evaluated.display_name or names.resource_id(evaluated.model)}",
        "about": f"On {known}, which its training never saw{of_run}.",
        "model": evaluated.model,
        "photos_words": known,
        "mixed_words": f"{shown} of {len(mixed)} kinds of mistake, the most frequent first",
        "without_matrix": "This evaluation has no confusion matrix: a photo may have several "
        "labels, so that none is taken for another. See the labels one by one.",
        "without_photos": evaluated.without_photos,
        "no_mistakes": "Not one test photo was wrong.",
        "worst_words": _worst_words(evaluated, wrong),
        "footer": f"Written {now:%Y-%m-%d %H:%M} UTC by ops evaluate; project {settings.project}, "
        f"stack {settings.stack}, {evaluated.evaluation}.",
    }


def _worst_words(evaluated: Evaluated, wrong: int) -> str:
    score = "the score of what was said"
    if evaluated.multi_label:
        score = (
            "the label whose score is farthest on the wrong side of "
            f"{evaluated.overall.threshold:g} (“not”: missed)"
        )
    return (
        f"{parts.photos(len(evaluated.mistakes))} were wrong, of which {wrong} are in this page; "
        f"the surest mistakes first, with {score}."
    )


def tiles(evaluated: Evaluated) -> list[dict[str, str]]:
    """The headline figures."""
    at = evaluated.overall
    found = [_accuracy(evaluated)]
    found.append(tile("Area under precision-recall", share(evaluated.au_prc), "1 is perfect"))
    found.append(tile("F1", share(at.f1), f"at a score of {at.threshold:g}"))
    if evaluated.photos is not None:
        wrong, all_ = len(evaluated.mistakes), len(evaluated.photos.rows)
        found.append(tile("Mistakes", f"{wrong:,}", f"of {parts.photos(all_)}"))
    found.append(tile("Labels", f"{len(parts.label_names(evaluated)):,}", ""))
    if evaluated.log_loss is not None:
        found.append(tile("Log loss", f"{evaluated.log_loss:.3f}", "0 is perfect"))
    return [one for one in found if one["value"] != share(None)]


def _accuracy(evaluated: Evaluated) -> dict[str, str]:
    """The share of photos that are right, with the range that so few photos leave open."""
    right, all_ = evaluated.right
    name = "All labels right" if evaluated.multi_label else "Right"
    if not all_:
        return tile(name, share(None), "")
    return tile(name, f"{right / all_:.1%}", sure(right, all_))


def sure(right: int, photos: int) -> str:
    """The range that so few photos leave open, in words; `photos` is at least 1."""
    low, high = wilson(right, photos)
    return f"95 % sure: {low:.1%} to {high:.1%}"


def tile(name: str, value: str, note: str) -> dict[str, str]:
    """A headline figure; `note` may be empty."""
    return {"name": name, "value": value, "note": note}


def share(value: float | None) -> str:
    """A figure of 0-1 with three decimals; a dash where there is none."""
    return "–" if value is None else f"{value:.3f}"


def _nearest(thresholds: list[float], wanted: float) -> int:
    return max((n for n, one in enumerate(thresholds) if one <= wanted + 1e-9), default=0)


def _file(name: str) -> str:
    return files("ops").joinpath("pages", name).read_text(encoding="utf-8")


def _digest(text: str) -> str:
    """The source expression of an inline style or script (CSP level 2)."""
    found = base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()
    return f"'sha256-{found}'"
