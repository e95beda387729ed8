"""Import of a file of 1,000,000 rows: rows a second from start to end, and the server's memory.

The objects are rows of a bulk loader; each has bytes of its own name, few files under many names.
"""

from __future__ import annotations

import argparse
import json
import sqlite3
import sys
import tempfile
import time
from itertools import pairwise
from pathlib import Path
from typing import Any

from bench.bulk import DIGEST_SQL, copy_object, link_blobs
from bench.million_objects import BODY, Client
from bench.servers import MEBIBYTE, PROJECT
from bench.table import Figure, show
from tests.local_cloud import LocalCloud, start_cloud, stop_cloud

ROWS, STEPS = 1_000_000, 10
BUCKET = "bench"
REGION = f"/v1/projects/{PROJECT}/locations/us-central1"
DATASET = "gs://google-cloud-aiplatform/schema/dataset/metadata/image_1.0.0.yaml"
ROWS_SCHEMA = (
    "gs://google-cloud-aiplatform/schema/dataset/ioformat/"
    "image_classification_single_label_io_format_1.0.0.yaml"
)
POLL_SECONDS = 0.05
# The slowest step against the fastest, and the most memory that is no growth.
LEAST_RATIO, MOST_GROWTH_MIB = 0.7, 40


def prepare(data: Path, rows: int) -> LocalCloud:
    """A server with the objects, the import file and a bucket in the dataset's region."""
    cloud = start_cloud(data)
    client = Client(cloud.url)
    body = json.dumps({"name": BUCKET, "location": "us-central1"}).encode()
    client.seconds("POST", f"/storage/v1/b?project={PROJECT}", body)
    upload = f"/upload/storage/v1/b/{BUCKET}/o?uploadType=media&name="
    client.seconds("POST", f"{upload}seed", BODY)
    lines = "".join(
        f"TRAINING,gs://{BUCKET}/photos/{number:07d}.jpg,label_{number % 10}\n"
        for number in range(rows)
    )
    client.seconds("POST", f"{upload}import.csv", lines.encode())
    stop_cloud(cloud)
    copy_object(data, BUCKET, "seed", rows, "printf('photos/%07d.jpg', n)", DIGEST_SQL)
    link_blobs(data, BODY, rows)
    began = time.perf_counter()
    again = start_cloud(data)
    print(
        f"{rows:,} objects and files: ready after {time.perf_counter() - began:.2f} s", flush=True
    )
    return again


def ask(cloud: LocalCloud, method: str, path: str, body: Any = None) -> Any:
    """The JSON of an answer."""
    import urllib.request

    data = None if body is None else json.dumps(body).encode()
    headers = {"content-type": "application/json"}
    request = urllib.request.Request(cloud.url + path, data, headers, method=method)
    with urllib.request.urlopen(request, timeout=120) as answer:
        return json.loads(answer.read())


def watch(cloud: LocalCloud, data: Path, rows: int) -> list[tuple[float, float]]:
    """Seconds and resident MiB at each step of the import."""
    import psutil

    process = psutil.Process(cloud.process.pid)
    database = sqlite3.connect(f"file:{data / 'emulator.sqlite'}?mode=ro", uri=True)
    began = time.perf_counter()
    marks = [(0.0, process.memory_info().rss / MEBIBYTE)]
    while len(marks) <= STEPS:
        (count,) = database.execute("SELECT COALESCE(MAX(seq), 0) FROM data_items").fetchone()
        while len(marks) <= STEPS and count >= rows * len(marks) // STEPS:
            marks.append((time.perf_counter() - began, process.memory_info().rss / MEBIBYTE))
        time.sleep(POLL_SECONDS)
    database.close()
    return marks


def run(data: Path, rows: int) -> list[tuple[float, float]]:
    """Imports the file; the marks of its way."""
    cloud = prepare(data, rows)
    try:
        body = {"displayName": "rows", "metadataSchemaUri": DATASET}
        made = ask(cloud, "POST", f"{REGION}/datasets", body)
        dataset = made["response"]["name"]
        source = {"gcsSource": {"uris": [f"gs://{BUCKET}/import.csv"]}}
        config = {**source, "importSchemaUri": ROWS_SCHEMA}
        operation = ask(cloud, "POST", f"/v1/{dataset}:import", {"importConfigs": [config]})
        marks = watch(cloud, data, rows)
        while not (ended := ask(cloud, "GET", f"/v1/{operation['name']}")).get("done"):
            time.sleep(POLL_SECONDS)
        assert "error" not in ended, ended
        began = time.perf_counter()
        ask(cloud, "GET", f"/v1/{dataset}/dataItems?pageSize=100")
        print(f"a page of 100 data items: {(time.perf_counter() - began) * 1000:.0f} ms")
        return marks
    finally:
        stop_cloud(cloud)


def main() -> int:
    """Print rows a second of each tenth, their evenness, and memory."""
    parser = argparse.ArgumentParser(prog="python -m bench.import_rows")
    parser.add_argument("--rows", type=int, default=ROWS)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="bench-import-") as folder:
        marks = run(Path(folder) / "data", options.rows)
    step = options.rows // STEPS
    rates = [step / (b[0] - a[0]) for a, b in pairwise(marks)]
    figures = [
        Figure(f"rows {step * place:,} to {step * (place + 1):,}", f"{rate:,.0f}/s", "", True)
        for place, rate in enumerate(rates)
    ]
    half = STEPS // 2
    ratio = (sum(1 / rate for rate in rates[:half])) / sum(1 / rate for rate in rates[half:])
    growth = marks[-1][1] - marks[1][1]
    figures += [
        Figure("rate of the second half / the first", f"{ratio:.2f}", f">= {LEAST_RATIO}",
               ratio >= LEAST_RATIO),
        Figure("memory from the first tenth to the last", f"{growth:+,.0f} MiB",
               f"<= {MOST_GROWTH_MIB} MiB", growth <= MOST_GROWTH_MIB),
        Figure("memory of the server at the end", f"{marks[-1][1]:,.0f} MiB", "", True),
    ]  # fmt: skip
    show(f"Import of a file of {options.rows:,} rows", figures)
    return 0


if __name__ == "__main__":
    sys.exit(main())
