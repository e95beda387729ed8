"""`kill -9` of `ops` at every step of import, train, deploy and teardown, and what the repeat did.

`python -m bench resume` prints the table; `python -m bench.resume --page docs/resume.md` writes it.
The suite cuts at a few of these steps (tests/journey/test_cuts.py); this fails unless each was cut.
"""

import argparse
import os
import sys
import tempfile
import time
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor, as_completed
from datetime import UTC, datetime
from multiprocessing import get_context
from pathlib import Path

from tests.journey.cuts import COMMANDS, Row, all_cuts, campaign, not_cut, word
from tests.ops.steps import Step

Known = dict[str, list[Step]]
HEADINGS = ("step", "request", "killed", "left", "taken up by", "it sent", "what that changed")
INTRODUCTION = """# Killed at each step, and repeated

`ops` is killed (`kill -9`) at every request of a command that changes something in the cloud, and
the command is repeated. *Killed* is **before** that request has reached the cloud, or **after** the
cloud has acted on it and before `ops` hears of it; the members of a long row of like requests are
killed before and after in turn. A step is known by what it asks for, not by when it came.
*Left* and *what that changed* are counted by the cloud's API; a repeat that does not end in exactly
what an undisturbed command ends in, each thing once, fails the run. A lock that a killed process
left stays until the next who needs it, and is then taken over.
"""


def main() -> int:
    """1 when a repeat went wrong or a step was not cut, after the table."""
    parser = argparse.ArgumentParser(prog="python -m bench.resume")
    parser.add_argument("--page", type=Path, help="write the table to this file as well")
    parser.add_argument("--workers", type=int, default=os.cpu_count() or 1)
    options = parser.parse_args()
    began = time.monotonic()
    known, rows, wrong = everything(options.workers)
    missing = not_cut(known, rows)
    said = summary(known, rows, time.monotonic() - began)
    text = "\n".join([INTRODUCTION, *(section(one, known, rows) for one in COMMANDS), said])
    print(text)
    for problem in [*wrong, *(f"Not cut exactly once: {cut}" for cut in missing)]:
        print(problem, file=sys.stderr)
    if wrong or missing:
        return 1
    if options.page:
        options.page.write_text(text + "\n")
    return 0


def everything(workers: int) -> tuple[Known, list[Row], list[str]]:
    """The steps, a row for each cut, and what went wrong; the cuts are shared by the workers."""
    rows: list[Row] = []
    wrong: list[str] = []
    known: Known = {}
    with ProcessPoolExecutor(workers, get_context("spawn")) as pool:
        shares = [pool.submit(share, number, workers) for number in range(workers)]
        for done in as_completed(shares):
            its, found, problems = done.result()
            known = known or its
            rows += found
            wrong += problems
            if {name: set(one) for name, one in its.items()} != {
                name: set(one) for name, one in known.items()
            }:
                wrong.append("Two undisturbed commands differ in their steps.")
    return known, rows, wrong


def share(number: int, workers: int) -> tuple[Known, list[Row], list[str]]:
    """Every so-many-th cut, on a cloud of its own."""
    rows, wrong = [], []
    with (
        tempfile.TemporaryDirectory(prefix="ops-bench-") as folder,
        campaign(Path(folder)) as found,
    ):
        for cut in all_cuts(found.known)[number::workers]:
            try:
                rows.append(found.kill(cut))
            except AssertionError as error:
                wrong.append(f"{cut}: {error}")
            print(f"{cut.command}: {cut.step.form}, {cut.side}", file=sys.stderr, flush=True)
        return found.known, rows, wrong


def section(command: str, known: Known, rows: list[Row]) -> str:
    """The table of one command."""
    steps = known[command]
    lines = [f"## ops {' '.join(COMMANDS[command])}", ""]
    lines += ["| " + " | ".join(HEADINGS) + " |", "|" + "---|" * len(HEADINGS)]
    return (
        "\n".join([*lines, *table(steps, [row for row in rows if row.cut.command == command])])
        + "\n"
    )


def table(steps: list[Step], rows: list[Row]) -> Iterator[str]:
    """A line a kill, in the order of the undisturbed command."""
    for number, step in enumerate(steps, 1):
        its = sorted((row for row in rows if row.cut.step == step), key=lambda row: row.cut.side)
        for row in reversed(its):
            name = f"{number} of {len(steps)}: {word(step.form)}"
            request = f"`{step.form}`" + (f" no. {step.ordinal}" if step.ordinal > 1 else "")
            cells = (name, request, row.cut.side, row.left, row.by, row.sent, row.did)
            yield "| " + " | ".join(cells) + " |"


def summary(known: Known, rows: list[Row], seconds: float) -> str:
    """How many steps there are and how many were cut, when and in what time."""
    steps = sum(map(len, known.values()))
    cut = len({(row.cut.command, row.cut.step) for row in rows})
    every = f"Every one of the {steps} steps was cut" if cut == steps else f"{cut} of {steps} cut"
    minutes, rest = divmod(round(seconds), 60)
    made = f"{datetime.now(UTC):%Y-%m-%d}, in {minutes} min {rest} s on {os.cpu_count()} cores"
    return f"{every}: {len(rows)} kills, {made}."


if __name__ == "__main__":
    sys.exit(main())
