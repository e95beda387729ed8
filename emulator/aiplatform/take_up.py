"""Everything unfinished, taken up when the server starts: imports, jobs, deployments."""

from __future__ import annotations

from emulator.aiplatform import (
    batch_run,
    custom_run,
    dataset_exports,
    dataset_versions,
    deployments,
    imports,
    pipeline_run,
    schedule_run,
    serving,
    training,
    tuning_run,
)
from emulator.aiplatform.models import ENDPOINT_KIND
from emulator.cloud import Cloud


def take_up(cloud: Cloud) -> None:
    """What was acknowledged goes on, and servers that belong to nothing are ended."""
    for unfinished in cloud.operations.unfinished(imports.WORK):
        imports.take_up(cloud, unfinished)
    for unfinished in cloud.operations.unfinished(dataset_exports.WORK):
        dataset_exports.take_up(cloud, unfinished)
    for unfinished in cloud.operations.unfinished(dataset_versions.WORK):
        dataset_versions.take_up(cloud, unfinished)
    training.take_up(cloud)
    custom_run.take_up(cloud)
    tuning_run.take_up(cloud)
    pipeline_run.take_up(cloud)
    schedule_run.take_up(cloud)
    wanted = batch_run.take_up(cloud)
    for unfinished in cloud.operations.unfinished(deployments.WORK):
        payload = unfinished.payload
        wanted.add(serving.job_id(payload["endpoint"], payload["deployedModel"]["id"]))
        deployments.take_up(cloud, unfinished)
    wanted |= _keep_deployed(cloud)
    for job in cloud.jobs.ids(serving.JOB_PREFIX):
        if job not in wanted:
            cloud.jobs.discard(job)


def _keep_deployed(cloud: Cloud) -> set[str]:
    """The jobs of all deployed models, each followed again."""
    with cloud.store.read() as db:
        rows = db.execute("SELECT name FROM resources WHERE kind = ?", (ENDPOINT_KIND,)).fetchall()
    found = set()
    for (name,) in rows:
        for deployed in (cloud.resources.get(name) or {}).get("deployedModels", []):
            serving.keep(cloud, name, deployed)
            found.add(serving.job_id(name, deployed["id"]))
    return found
