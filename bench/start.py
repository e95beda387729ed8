"""The emulator: from start to ready, and memory when idle."""

import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from bench.table import Figure, show

ROUNDS = 7
MEBIBYTE = 2**20


def start_once(folder: Path) -> tuple[float, float]:
    """Seconds from start to the ready line, and resident MiB a second later."""
    import psutil

    command = [sys.executable, "-m", "emulator", "serve", "--port", "0", "--data", str(folder)]
    started = time.perf_counter()
    process = subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True
    )
    try:
        assert process.stdout is not None
        assert process.stdout.readline().startswith("ready ")
        ready = time.perf_counter() - started
        time.sleep(1)
        return ready, psutil.Process(process.pid).memory_info().rss / MEBIBYTE
    finally:
        process.terminate()
        process.wait()


def main() -> None:
    """Print medians over several starts, each on an empty folder."""
    with tempfile.TemporaryDirectory() as folder:
        runs = [start_once(Path(folder) / str(number)) for number in range(ROUNDS + 1)][1:]
    ready = statistics.median(run[0] for run in runs)
    memory = statistics.median(run[1] for run in runs)
    show(
        "emulator",
        [
            Figure("start to ready", f"{ready:.2f} s", "<= 1.5 s", ready <= 1.5),
            Figure("idle memory", f"{memory:.0f} MiB", "<= 180 MB", memory <= 171),
        ],
    )


if __name__ == "__main__":
    main()
