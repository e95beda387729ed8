"""`kill -9` of `ops` at every step of import, train, deploy and teardown, and what the repeat did.

The same test as in the suite, at every step instead of every sixth: `python -m bench resume`.
A step is a request that changes something in the cloud; `ops` dies when it has arrived and before
its answer is back. Of many equal steps in a row (photos, objects) the first and the last are cut.
"""

import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path

from rich.console import Console
from rich.table import Table

TEST = "tests/journey/test_cuts.py"
WIDTH = 150


def main() -> int:
    """Pytest's exit code, after the table."""
    with tempfile.TemporaryDirectory(prefix="ops-bench-") as folder:
        rows = Path(folder, "rows.jsonl")
        environment = {**os.environ, "OPS_TEST_EVERY_CUT": "1", "OPS_TEST_TABLE": str(rows)}
        command = [sys.executable, "-m", "pytest", "-q", TEST]
        code = subprocess.run(command, env=environment, check=False).returncode
        show(rows)
    return code


def show(rows: Path) -> None:
    """Print what was found, a line a kill."""
    table = Table(title="Killed at each step, and repeated", title_justify="left")
    for heading in ("command", "killed after step", "left", "taken up by", "the repeat did"):
        table.add_column(heading, overflow="fold")
    found = [json.loads(line) for line in rows.read_text().splitlines()] if rows.exists() else []
    for row in found:
        table.add_row(*map(str, row.values()))
    Console(width=WIDTH).print(table)
    print(f"{len(found)} kills")


if __name__ == "__main__":
    sys.exit(main())
