"""Results of a batch prediction: collected line by line in the job's folder, exported at the end.

In the output's folder: `prediction-<model display name>-<time>/predictions_0001.jsonl`, and
`errors_0001.jsonl` where a row failed (BatchPredictionJob.OutputConfig, SDK 2.7.0).
"""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

from emulator.aiplatform import batch_rows, names
from emulator.aiplatform.photos import location_problem
from emulator.cloud import Cloud
from emulator.errors import ApiError
from emulator.storage import objects

Body = dict[str, Any]
JOB_PREFIX = "batch-"
KIND = "application/jsonl"
# The model's display name, which outlives the model.
TITLE = "_modelDisplayName"


def _folder(cloud: Cloud, name: str) -> Path:
    return cloud.jobs.path(JOB_PREFIX + names.last(name))


def _file(cloud: Cloud, name: str) -> Path:
    return _folder(cloud, name) / "results.jsonl"


def check_target(cloud: Cloud, body: Body, region: str) -> None:
    """Raises INVALID_ARGUMENT for an output bucket that is not there, or not near enough."""
    prefix = body["outputConfig"]["gcsDestination"]["outputUriPrefix"]
    bucket = prefix.removeprefix("gs://").partition("/")[0]
    if problem := location_problem(cloud, bucket, region, "the job"):
        raise ApiError("INVALID_ARGUMENT", problem)


def add(cloud: Cloud, name: str, results: list[Body]) -> None:
    """Results of the next rows, kept from now on."""
    path = _file(cloud, name)
    path.parent.mkdir(parents=True, exist_ok=True)
    lines = "".join(json.dumps(one, ensure_ascii=False) + "\n" for one in results)
    with path.open("a", encoding="utf-8") as file:
        file.write(lines)


def count(cloud: Cloud, name: str) -> int:
    """How many rows have their result; half a line, left by a crash, is cut off."""
    path = _file(cloud, name)
    if not path.exists():
        return 0
    content = path.read_bytes()
    whole = content[: content.rfind(b"\n") + 1]
    if whole != content:
        path.write_bytes(whole)
    return whole.count(b"\n")


def read(cloud: Cloud, name: str) -> list[Body]:
    """All results, in the order of the rows."""
    if not count(cloud, name):
        return []
    text = _file(cloud, name).read_text(encoding="utf-8")
    return [json.loads(line) for line in text.split("\n") if line]


def drop(cloud: Cloud, name: str) -> None:
    """The job's folder is gone."""
    shutil.rmtree(_folder(cloud, name), ignore_errors=True)


def keep_only(cloud: Cloud, jobs: list[str]) -> None:
    """The folders of all other jobs are gone: of those that a crash left after their end."""
    wanted = {_folder(cloud, name) for name in jobs}
    for job in cloud.jobs.ids(JOB_PREFIX):
        if (folder := cloud.jobs.path(job)) not in wanted:
            shutil.rmtree(folder, ignore_errors=True)


def export(cloud: Cloud, body: Body, results: list[Body]) -> Body:
    """What the job says of its results, which are objects now; in the caller's transaction."""
    target = body["outputConfig"]["gcsDestination"]["outputUriPrefix"].rstrip("/")
    directory = f"{target}/prediction-{body[TITLE]}-{_milliseconds(body['createTime'])}"
    good = [one for one in results if "error" not in one]
    bad = [one for one in results if "error" in one]
    for stem, rows in (("predictions", good), ("errors", bad)):
        if rows:
            _put(cloud, body, f"{directory}/{stem}_0001.jsonl", rows)
    stats = {"successfulCount": str(len(good)), "failedCount": str(len(bad))}
    failures = batch_rows.failures(bad)
    return {
        "outputInfo": {"gcsOutputDirectory": directory},
        "completionStats": {key: value for key, value in stats.items() if value != "0"},
        **({"partialFailures": failures} if failures else {}),
    }


def _milliseconds(time: str) -> str:
    """`2026-11-21T17:00:00.123Z` of a time with more or fewer digits."""
    seconds, _, fraction = time.removesuffix("Z").partition(".")
    return f"{seconds}.{fraction[:3]:0<3}Z"


def _put(cloud: Cloud, body: Body, uri: str, rows: list[Body]) -> None:
    bucket, _, name = uri.removeprefix("gs://").partition("/")
    path = _folder(cloud, body["name"]) / "export.jsonl"
    with path.open("w", encoding="utf-8") as file:
        file.writelines(json.dumps(row, ensure_ascii=False) + "\n" for row in rows)
    objects.put_file(cloud, bucket, name, path, KIND)


def failure(results: list[Body]) -> ApiError | None:
    """The error of a job of which every row failed, in the words of the first."""
    if not results or any("error" not in one for one in results):
        return None
    first = results[0]["error"]["message"]
    return ApiError("INVALID_ARGUMENT", f"No row could be predicted. {first}")
