"""Which photos an evaluation page shows, and small copies of them, read from their buckets."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from itertools import islice

from ops.cloud import stored_photos
from ops.cloud.session import Session
from ops.data.decode import quiet_about_large_photos
from ops.data.thumbnail import Thumbnail, thumbnail
from ops.progress import Progress
from ops.workflows.evaluate import Evaluated
from ops.workflows.evaluate_photos import Judged

MOST_PICTURES = 240
WORST = 48
OF_A_CELL = 12
LONGEST_SIDE_PIXELS = 200
AT_ONCE = 8


@dataclass(frozen=True)
class Pictures:
    """Small copies by URI, and how many of the photos asked for could not be read."""

    found: dict[str, Thumbnail]
    unreadable: int


def choose(evaluated: Evaluated, most: int = MOST_PICTURES) -> list[Judged]:
    """The photos to show: the worst mistakes, then some of every kind of mistake, then right ones.

    Mistakes of a kind (true and predicted label) are taken by turns, so that a frequent one leaves
    room for all others; of right photos those that the model was least sure of.
    """
    if evaluated.photos is None:
        return []
    mistakes = evaluated.mistakes
    wrong = {row.uri for row in mistakes}
    right = [row for row in evaluated.photos.rows if row.uri not in wrong]
    right.sort(key=lambda row: (row.scores[row.best], row.uri))
    chosen: dict[str, Judged] = {}
    for row in (*mistakes[:WORST], *_by_turns(mistakes), *_by_turns(right)):
        if len(chosen) == most:
            break
        chosen.setdefault(row.uri, row)
    return list(chosen.values())


def _by_turns(rows: Iterable[Judged]) -> Iterator[Judged]:
    """A row of every (true, predicted) cell, then a second of each, up to OF_A_CELL."""
    cells: dict[tuple[tuple[str, ...], str], list[Judged]] = {}
    for row in rows:
        cells.setdefault((row.true, row.best), []).append(row)
    for turn in range(OF_A_CELL):
        for cell in cells.values():
            yield from islice(cell, turn, turn + 1)


def fetch(session: Session, rows: Sequence[Judged], progress: Progress) -> Pictures:
    """Small copies of these photos; one that is gone or not to be read is left out and counted."""
    if not rows:
        return Pictures({}, 0)
    with (
        progress.step("Reading pictures", len(rows), "photos") as step,
        quiet_about_large_photos(),
        ThreadPoolExecutor(AT_ONCE) as pool,
    ):
        found: dict[str, Thumbnail] = {}
        for row, small in zip(rows, pool.map(lambda row: _small(session, row), rows), strict=True):
            step.advance()
            if small is not None:
                found[row.uri] = small
    return Pictures(found, len(rows) - len(found))


def _small(session: Session, row: Judged) -> Thumbnail | None:
    data = stored_photos.read(session, row.uri)
    return None if data is None else thumbnail(data, LONGEST_SIDE_PIXELS)
