"""What a custom job finds when it starts: Vertex AI's variables, and its view of the buckets."""

from __future__ import annotations

import json
import re
import shutil
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from emulator.aiplatform import custom_spec, names, signed_in, storage_access
from emulator.cloud import Cloud
from emulator.jobs.gcs_view import GcsView
from emulator.jobs.outputs import Outputs
from emulator.logging import entries
from emulator.resourcemanager import projects
from emulator.storage import buckets, objects
from emulator.storage.names import HIDDEN_PREFIX
from emulator.storage.rights import GET
from emulator.tokens import Caller

Body = dict[str, Any]
VARIABLES = "_environment"
DATA_BUCKETS = "_dataBuckets"
_URI = re.compile(r"(?:gs://|/gcs/)([a-z0-9][a-z0-9._-]{1,220}[a-z0-9])")
_LIST = re.compile(r"gs://[^\s,;\"']+\.(?:jsonl|csv|txt)")
PORT = 2222
# An object that is replaced all the time is left out.
COPY_ATTEMPTS = 10


def view(cloud: Cloud, job: str) -> GcsView:
    """The folder that is `/gcs` to the job of that id."""
    return GcsView(cloud.jobs.path(job) / "mount")


def outputs(cloud: Cloud, body: Body) -> Outputs:
    """The files that the job writes, as its account."""
    job = names.last(body["name"])
    account = storage_access.account_of_job(cloud, body["name"], body["jobSpec"])
    caller = Caller(account.email, owner=False)
    return Outputs(cloud, view(cloud, job), cloud.jobs.path(job) / "outputs.json", caller)


def forget_key(cloud: Cloud, name: str) -> None:
    """A job that is over has no key any more."""
    (cloud.jobs.path(names.last(name)) / signed_in.KEY_FILE).unlink(missing_ok=True)


def variables(cloud: Cloud, body: Body) -> dict[str, str]:
    """The environment of the primary replica; Vertex AI's own win over the user's.

    `AIP_*` as in custom_job.proto and training_pipeline.proto, `CLUSTER_SPEC` and `TF_CONFIG` as
    "Distributed training" shows them (read 2026-08-22).
    """
    spec, job = body["jobSpec"], names.last(body["name"])
    project = names.location(body["name"]).project
    account = storage_access.account_of_job(cloud, body["name"], spec)
    user = {one["name"]: one.get("value", "") for one in custom_spec.code(spec).get("env", [])}
    return {
        **user,
        **_folders(custom_spec.output_uri(spec)),
        **_cluster(job),
        **body.get(VARIABLES, {}),
        "CLOUD_ML_JOB_ID": job,
        "CLOUD_ML_PROJECT_ID": str(projects.number(cloud, project)),
        "GCS_MOUNT": str(view(cloud, job).folder),
        **signed_in.variables(cloud, account, cloud.jobs.path(job)),
    }


def _folders(base: str) -> dict[str, str]:
    if not base:
        return {}
    return {
        "AIP_MODEL_DIR": f"{base}/model/",
        "AIP_CHECKPOINT_DIR": f"{base}/checkpoints/",
        "AIP_TENSORBOARD_LOG_DIR": f"{base}/logs/",
    }


def _cluster(job: str) -> dict[str, str]:
    address = [f"cmle-training-workerpool0-{job[:10]}-0:{PORT}"]
    pools = {
        "cluster": {"workerpool0": address},
        "environment": "cloud",
        "task": {"type": "workerpool0", "index": 0},
    }
    chief = {
        "cluster": {"chief": address},
        "environment": "cloud",
        "task": {"type": "chief", "index": 0},
    }
    return {"CLUSTER_SPEC": json.dumps(pools), "TF_CONFIG": json.dumps(chief)}


def fill_view(cloud: Cloud, body: Body) -> None:
    """The view has what the job may read: the objects of every bucket that it names.

    What lies under its own output folder is a copy, so that it can go on with it; everything else
    is a link. What its account may not read is not there, and its log says so. What a job that was
    never launched has left is gone. Blocks. FAILED_PRECONDITION where the account may not write the
    output folder.
    """
    job = names.last(body["name"])
    access = storage_access.of_job(cloud, body["name"], body["jobSpec"])
    shutil.rmtree(view(cloud, job).folder, ignore_errors=True)
    filled = view(cloud, job)
    filled.folder.mkdir(parents=True)
    known = outputs(cloud, body)
    own = custom_spec.output_uri(body["jobSpec"])
    if own:
        access.require_folder(own)
    hidden: set[str] = set()
    for bucket in sorted(named_buckets(cloud, body)):
        for name, sha256, generation in _objects(cloud, bucket):
            uri, blob = f"gs://{bucket}/{name}", cloud.blobs.path(sha256)
            if name.endswith("/") or not access.may(GET, bucket, name):
                hidden |= set() if name.endswith("/") else {bucket}
                continue
            if not (own and uri.startswith(f"{own}/")):
                filled.link(uri, blob)
            elif (found := copied(cloud, filled, uri, sha256, generation)) is not None:
                known.know(uri, *found)
    _make_folders(cloud, filled, own)
    known.save()
    for bucket in sorted(hidden):
        entries.service(
            cloud, body["name"], access.denied(GET, f'bucket "{bucket}"').message, "ERROR"
        )


def copied(
    cloud: Cloud, filled: GcsView, uri: str, sha256: str, generation: int
) -> tuple[Path, int] | None:
    """A copy of the object and its generation: of what took its place since it was listed, if so.

    None where it is gone meanwhile, or the view has no place for it.
    """
    bucket, _, name = uri.removeprefix("gs://").partition("/")
    for _ in range(COPY_ATTEMPTS):
        try:
            path = filled.copy(uri, cloud.blobs.path(sha256))
        except FileNotFoundError:
            row = objects.get_object(cloud, bucket, name)
            if row is None:
                return None
            sha256, generation = row.sha256, row.generation
            continue
        return None if path is None else (path, generation)
    return None


def named_buckets(cloud: Cloud, body: Body) -> set[str]:
    """The buckets in the job's arguments, environment, output folder and data.

    A list of photos that an argument names is read too: its rows may lie in other buckets, and on
    Google a job finds every bucket under /gcs.
    """
    spec = body["jobSpec"]
    code = custom_spec.code(spec)
    texts = [*code.get("args", []), *(one.get("value", "") for one in code.get("env", []))]
    lists = {uri for text in texts for uri in _LIST.findall(text)}
    texts += [custom_spec.output_uri(spec), *body.get(VARIABLES, {}).values()]
    found = {name for text in texts for name in _URI.findall(text)}
    found |= set(body.get(DATA_BUCKETS, []))
    found = found.union(*(_listed_buckets(cloud, uri) for uri in lists))
    return {name for name in found if not name.startswith(HIDDEN_PREFIX)}


def _listed_buckets(cloud: Cloud, uri: str) -> set[str]:
    """The buckets that the rows of a list name; none where there is no such list."""
    bucket, _, name = uri.removeprefix("gs://").partition("/")
    row = objects.get_object(cloud, bucket, name)
    if row is None:
        return set()
    with cloud.blobs.path(row.sha256).open(errors="replace") as file:
        return {found for line in file for found in _URI.findall(line)}


def _objects(cloud: Cloud, bucket: str) -> Iterable[tuple[str, str, int]]:
    with cloud.store.read() as db:
        return db.execute(
            "SELECT name, sha256, generation FROM objects WHERE bucket = ? ORDER BY name", (bucket,)
        ).fetchall()


def _make_folders(cloud: Cloud, filled: GcsView, own: str) -> None:
    """The job's output folder exists if its bucket does: a mounted bucket is a folder."""
    bucket = own.removeprefix("gs://").partition("/")[0]
    if bucket:
        buckets.require_bucket(cloud, bucket)
        filled.path(own).mkdir(parents=True, exist_ok=True)
