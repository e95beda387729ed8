"""`ops doctor` on a local cloud that runs: every check, as a whole process."""

import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from bench.table import Figure, show
from ops import settings
from tests.local_cloud import LocalCloud, clean_environment, running_cloud

ROUNDS = 5
MOST_SECONDS = 3.0


def seconds(cloud: LocalCloud, folder: Path, *words: str) -> float:
    """Wall time of one run, which must find no failure."""
    ops = str(Path(sys.executable).with_name("ops"))
    environ = clean_environment(**{settings.EMULATOR_DATA: str(cloud.data)})
    started = time.perf_counter()
    subprocess.run(
        [ops, "doctor", *words], cwd=folder, env=environ, check=True, capture_output=True
    )
    return time.perf_counter() - started


def main() -> None:
    """Print the medians, with and without a job."""
    jobs = {"ops doctor": (), "ops doctor --job custom --accelerator T4": ("--accelerator", "T4")}
    with tempfile.TemporaryDirectory() as name, running_cloud(Path(name) / "cloud") as cloud:
        runs = {
            what: [seconds(cloud, Path(name), *words) for _ in range(ROUNDS + 1)][1:]
            for what, words in jobs.items()
        }
    medians = {what: statistics.median(found) for what, found in runs.items()}
    show(
        "ops doctor, local target",
        [
            Figure(what, f"{median:.2f} s", f"<= {MOST_SECONDS:g} s", median <= MOST_SECONDS)
            for what, median in medians.items()
        ],
    )


if __name__ == "__main__":
    main()
