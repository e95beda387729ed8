"""What `ops evaluate` prints for people: figures, labels, mix-ups, mistakes, and a comparison."""

from __future__ import annotations

from pathlib import Path

from ops.cli.render import table
from ops.workflows.compare import Compared
from ops.workflows.comparison_page import verdict
from ops.workflows.evaluate import Evaluated
from ops.workflows.evaluate_metrics import Confusion, by_f1
from ops.workflows.evaluate_photos import Judged, Photos
from ops.workflows.evaluation_page import Written, sure

WORST = 5
MOST_LABELS = 20
"""Of a matrix that fits a terminal; of a larger one the most frequent mix-ups are listed."""
MOST_DIFFERING = 10


def text(found: Evaluated, *, thresholds: bool = False) -> str:
    """The tables that a person reads; with `thresholds` the figures at every threshold too."""
    parts = [_headline(found)]
    if thresholds:
        parts.append(_thresholds(found))
    parts.append(_labels(found))
    if found.confusion is not None:
        parts.append(_matrix(found.confusion))
    parts.append(_worst(found))
    return "\n\n".join(part for part in parts if part)


def page(written: Written) -> str:
    """Where the page lies and what is in it."""
    pictures = f", {written.pictures} pictures" if written.pictures else ""
    lacks = f"; {written.unreadable} photos could not be read" if written.unreadable else ""
    size = f"{written.size_bytes / 1e6:.1f} MB"
    return f"Page {written.path} ({size}{pictures}{lacks}): open it in a browser, no network needed"


def compared(found: Compared) -> str:
    """Two models side by side; photo by photo where both have single photos."""
    rows = [
        (name, one.short, *map(_share, _figures(one)))
        for name, one in (("A", found.a), ("B", found.b))
    ]
    headers = ["", "model", "right", "auPrc", "precision", "recall", "F1"]
    parts = [table(headers, rows, right="right,auPrc,precision,recall,F1"), found.note]
    if found.pairs is not None:
        parts += [_ways(found, len(found.pairs)), _differing(found)]
    else:
        parts += sorted({one.without_photos for one in (found.a, found.b)} - {""})
    return "\n\n".join(part for part in parts if part)


def _figures(found: Evaluated) -> tuple[float | None, ...]:
    at = found.overall
    return found.headline()["accuracy"], found.au_prc, at.precision, at.recall, at.f1


def _ways(found: Compared, all_: int) -> str:
    ways = [
        ("the same answer", found.same),
        ("both right", found.count(True, True)),
        ("only A right", found.count(True, False)),
        ("only B right", found.count(False, True)),
        ("neither right", found.count(False, False)),
    ]
    rows = [(name, count, f"{count / all_:.1%}") for name, count in ways]
    return f"{table(['', 'photos', 'share'], rows, right='photos,share')}\n\n{verdict(found)}"


def _differing(found: Compared) -> str:
    rows = [
        (
            ", ".join(pair.a.true) or "nothing",
            _said(found.a, pair.a, found.threshold),
            _said(found.b, pair.b, found.threshold),
            pair.a.file,
        )
        for pair in sorted(found.differing, key=lambda pair: -found.sure_of_mistake(pair))
    ]
    shown = table(["is", "A says", "B says", "photo"], rows[:MOST_DIFFERING]) if rows else ""
    rest = len(rows) - MOST_DIFFERING
    return f"{shown}\nand {rest} more: see --json or the page" if rest > 0 else shown


def _said(model: Evaluated, row: Judged, threshold: float) -> str:
    """Every label that was said, each with its score, best first."""
    said = row.predicted(threshold) if model.multi_label else (row.best,)
    return ", ".join(f"{label} {row.scores[label]:.2f}" for label in said) or "nothing"


def share_right(right: int, photos: int, *, several: bool) -> str:
    """The share of photos that are right, with the range that so few photos leave open.

    `several` says that a photo may have several labels; `photos` is at least 1.
    """
    how = "with all labels right" if several else "right"
    return f"{right / photos:.1%} of {photos} test photos {how} ({sure(right, photos)})"


def _headline(found: Evaluated) -> str:
    at, (right, all_) = found.overall, found.right
    lines = [f"Model {found.model} ({found.display_name})"]
    if all_:
        lines.append(share_right(right, all_, several=found.multi_label))
    lines.append(f"Area under precision-recall {_share(found.au_prc)}")
    figures = f"precision {_share(at.precision)}, recall {_share(at.recall)}, F1 {_share(at.f1)}"
    return "\n".join([*lines, f"At score {at.threshold:g}: {figures}"])


def _thresholds(found: Evaluated) -> str:
    rows = [
        (f"{row.threshold:g}", *map(_share, (row.precision, row.recall, row.f1)))
        for row in found.curve
    ]
    headers = ["score", "precision", "recall", "F1"]
    return table(headers, rows, right="score,precision,recall,F1") if rows else ""


def _labels(found: Evaluated) -> str:
    rows = [
        (
            one.label,
            "-" if one.photos is None else one.photos,
            *map(_share, (one.at.precision, one.at.recall, one.at.f1, one.au_prc)),
        )
        for one in by_f1(found.labels)
    ]
    headers = ["label", "photos", "precision", "recall", "F1", "auPrc"]
    return table(headers, rows, right="photos,precision,recall,F1,auPrc") if rows else ""


def _matrix(confusion: Confusion) -> str:
    if len(confusion.labels) > MOST_LABELS:
        mixed = confusion.mixed_up()[:MOST_LABELS]
        return table(["is", "taken for", "photos"], mixed, right="photos") if mixed else ""
    headers = ["true \\ predicted", *confusion.labels]
    rows = [
        [label, *(count or "." for count in row)]
        for label, row in zip(confusion.labels, confusion.rows, strict=True)
    ]
    return table(headers, rows, right=",".join(confusion.labels))


def _worst(found: Evaluated) -> str:
    if found.photos is None:
        return found.without_photos
    if not found.mistakes:
        return "Not one test photo was wrong."
    if found.multi_label:
        return _worst_of_several(found, found.photos)
    rows = [
        (row.best, f"{row.scores[row.best]:.2f}", ", ".join(row.true) or "nothing", row.file)
        for row in found.mistakes[:WORST]
    ]
    return table(["surest mistakes", "score", "is", "photo"], rows, right="score")


def _worst_of_several(found: Evaluated, photos: Photos) -> str:
    """The label whose score is farthest on the wrong side of the threshold, and how far."""
    at = found.overall.threshold
    rows = [
        (
            row.most_wrong(at),
            f"{photos.sureness(row, at):.2f}",
            ", ".join(row.predicted(at)) or "nothing",
            ", ".join(row.true) or "nothing",
            row.file,
        )
        for row in found.mistakes[:WORST]
    ]
    headers = ["surest mistakes", f"off {at:g} by", "says", "is", "photo"]
    return table(headers, rows, right=headers[1])


def _share(value: float | None) -> str:
    return "-" if value is None else f"{value:.3f}"


def unwritable(path: Path, error: OSError) -> str:
    """What to say when the page could not be kept at its usual place."""
    why = error.strerror or error
    return f"No page: {path} cannot be written ({why}); --html FILE puts it elsewhere."
