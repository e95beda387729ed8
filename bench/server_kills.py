"""The server's long campaign: `kill -9` at hundreds of random instants amid concurrent writes.

`python -m bench.server_kills --kills 500 --seed N`. The same check as in the suite
(tests/emulator/test_kills.py): an outside process keeps the journal of what was acknowledged.
"""

from __future__ import annotations

import argparse
import shutil
import sys
import tempfile
from pathlib import Path

from bench.table import Figure, show
from tests.emulator.kills.campaign import campaign, seed_of_the_day

KILLS = 500


def main() -> int:
    """1 when anything was lost, torn or left over; the folder is kept then, and named."""
    parser = argparse.ArgumentParser(prog="python -m bench.server_kills")
    parser.add_argument("--kills", type=int, default=KILLS)
    parser.add_argument("--seed", type=int, default=None)
    parser.add_argument("--threads", type=int, default=3)
    options = parser.parse_args()
    seed = seed_of_the_day() if options.seed is None else options.seed
    folder = Path(tempfile.mkdtemp(prefix="server-kills-"))
    print(f"seed {seed}, folder {folder}", flush=True)
    outcome = campaign(folder, seed, options.kills, options.threads)
    lost = len(outcome.problems)
    show(
        f"kill -9 of the server, seed {seed}, {outcome.seconds / 60:.1f} minutes",
        [
            Figure(
                "kills (of a starting server)",
                f"{outcome.kills} ({outcome.kills_starting})",
                str(options.kills),
                outcome.kills == options.kills,
            ),
            Figure("acknowledged requests", f"{outcome.acknowledged:,}", "", True),
            Figure("requests cut, never answered", f"{outcome.unanswered:,}", "", True),
            Figure("looked up and compared", f"{outcome.checked_keys:,} keys", "", True),
            Figure("bodies read and hashed", f"{outcome.checked_bodies:,}", "", True),
            Figure("missing, torn, half there or left over", str(lost), "0", lost == 0),
        ],
    )
    for problem in outcome.problems[:20]:
        print(problem)
    if lost == 0:
        shutil.rmtree(folder, ignore_errors=True)
    return 1 if lost or outcome.kills != options.kills else 0


if __name__ == "__main__":
    sys.exit(main())
