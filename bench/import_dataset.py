"""`ops import-dataset` against `transfer_manager.upload_many` of the same files, same server.

Each measurement has a server and a data folder of its own, so that no bytes are there already.
Importing Google's modules is not counted on either side. Python's own start is not either.
"""

from __future__ import annotations

import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from bench.table import Figure, show

ROOT = Path(__file__).parents[1]
CLOTHING = ROOT.parent / "shared" / "datasets" / "clothing"
ROUNDS = 3
THREADS = 16
MOST_RATIO = 1.5


@contextmanager
def server(data: Path) -> Iterator[str]:
    """The address of a server with an empty data folder."""
    command = [sys.executable, "-m", "emulator", "serve", "--port", "0", "--data", str(data)]
    process = subprocess.Popen(
        command, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True
    )
    try:
        assert process.stdout is not None
        yield process.stdout.readline().split()[1]
    finally:
        process.terminate()
        process.wait(timeout=20)


def upload_many(source: Path, data: Path, url: str) -> float:  # noqa: ARG001
    """Seconds for Google's own parallel upload, each photo under its path."""
    from google.auth.credentials import AnonymousCredentials
    from google.cloud import storage
    from google.cloud.storage import transfer_manager

    client = storage.Client(
        project="bench",
        credentials=AnonymousCredentials(),  # type: ignore[no-untyped-call]
        client_options={"api_endpoint": url},
    )
    bucket = client.create_bucket("bench-upload-many", location="us-central1")
    photos = sorted(source.glob("*/*/*.jpg"))
    started = time.perf_counter()
    pairs = [(str(path), bucket.blob(str(path.relative_to(source)))) for path in photos]
    results = transfer_manager.upload_many(
        pairs, worker_type=transfer_manager.THREAD, max_workers=THREADS, raise_exception=True
    )
    assert len(results) == len(photos)
    return time.perf_counter() - started


def import_dataset(source: Path, data: Path, url: str) -> float:  # noqa: ARG001
    """Seconds to check, hash, upload, register, count and show the photos as `ops` does."""
    from google.cloud import aiplatform_v1  # noqa: F401

    from ops import settings
    from ops.cloud.session import connect
    from ops.ledger import Ledger
    from ops.progress import Silent
    from ops.workflows import import_dataset as workflow
    from ops.workflows import import_sheet, import_source

    where = settings.read({}, {settings.EMULATOR_DATA: str(data)}, data)
    ledger = Ledger(connect(where))
    started = time.perf_counter()
    options = import_source.Options()
    found = import_source.look(str(source), options, Silent(), data / "new", lambda: ledger.session)
    plan = workflow.plan(ledger, found)
    done = workflow.run(ledger, plan, Silent())
    import_sheet.write(plan, data / "sheet.html", Silent())
    seconds = time.perf_counter() - started
    assert done.result["photos"] == done.result["uploaded"]
    return seconds


def once(measure: Callable[[Path, Path, str], float]) -> float:
    """The seconds of one measurement, on a server of its own."""
    with tempfile.TemporaryDirectory() as folder, server(Path(folder) / "cloud") as url:
        seconds = measure(CLOTHING, Path(folder) / "cloud", url)
    print(f"{measure.__name__}: {seconds:.2f} s", flush=True)
    return seconds


def main() -> int:
    """Print photos a second of both, and the ratio of their times; 0 also without the photos."""
    if not CLOTHING.is_dir():
        print("Skipped: needs the clothing photos in ../shared/datasets/clothing.")
        return 0
    photos = len(list(CLOTHING.glob("*/*/*.jpg")))
    rounds = [(once(upload_many), once(import_dataset)) for _ in range(ROUNDS)]
    google, ours = (min(times) for times in zip(*rounds, strict=True))
    ratio = ours / google
    show(
        f"Import of {photos:,} photos, best of {ROUNDS}",
        [
            Figure("upload_many, 16 threads: upload", f"{photos / google:,.0f} photos/s", "", True),
            Figure(
                "import-dataset: check, hash, upload, register, sheet",
                f"{photos / ours:,.0f} photos/s",
                "",
                True,
            ),
            Figure("ratio of times", f"{ratio:.2f}", f"≤ {MOST_RATIO}", ratio <= MOST_RATIO),
        ],
    )
    return 0


if __name__ == "__main__":
    sys.exit(main())
