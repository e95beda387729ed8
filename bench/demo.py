"""`make demo` after set-up, from nothing to nothing."""

import subprocess
import sys
import tempfile
import time
from pathlib import Path

from bench.table import Figure, show

ROOT = Path(__file__).parents[1]
TARGET_SECONDS = 240


def main() -> int:
    """Print how long the demo takes, digits written anew."""
    with tempfile.TemporaryDirectory() as folder:
        started = time.perf_counter()
        command = [sys.executable, "-m", "demo", "--folder", folder]
        run = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
        seconds = time.perf_counter() - started
    accuracy = [line for line in run.stdout.splitlines() if line.startswith("accuracy")]
    show(
        "make demo",
        [
            Figure(
                "make demo after set-up",
                f"{seconds:.0f} s, exit {run.returncode}",
                "<= 240 s",
                run.returncode == 0 and seconds <= TARGET_SECONDS,
            ),
            Figure("digits", " ".join(accuracy[-1:]), ">= 0.97", bool(accuracy)),
        ],
    )
    return run.returncode


if __name__ == "__main__":
    sys.exit(main())
