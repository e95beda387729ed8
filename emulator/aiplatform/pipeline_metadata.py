"""What a pipeline job leaves in the default metadata store, by which experiments find it.

A context of the pipeline with one of the run in it; in that an execution `system.Run`, whose
metadata are the parameters as `input:NAME`, and the artifacts of the tasks (SDK 2.7.0,
pipeline_jobs.py, `_query_experiment_row`).
"""

from __future__ import annotations

import hashlib
import re
from typing import Any

from emulator.aiplatform import metadata_links, metadata_stores, names, resources
from emulator.aiplatform.metadata_nouns import ARTIFACT, CONTEXT, EXECUTION
from emulator.aiplatform.metadata_schemas import SYSTEM_VERSION, system_schemas
from emulator.aiplatform.nouns import Noun
from emulator.aiplatform.pipeline_graph import TASKS
from emulator.cloud import Cloud

Body = dict[str, Any]
STATES = {"SUCCEEDED": "COMPLETE", "FAILED": "FAILED", "CANCELLED": "CANCELLED"}


def record(cloud: Cloud, body: Body, state: str) -> Body:
    """The contexts of a job for its `jobDetail`; everything is there once, however often asked.

    `state` is that of the whole pipeline. For the inside of a transaction.
    """
    store = _store(cloud, body)
    job = _id(names.last(body["name"]))
    title = body.get("pipelineSpec", {}).get("pipelineInfo", {}).get("name", "") or job
    pipeline = _node(cloud, CONTEXT, store, _id(title), "system.Pipeline", displayName=title)
    run = _node(cloud, CONTEXT, store, job, "system.PipelineRun", displayName=job)
    members = [_execution(cloud, store, job, body, state), *_artifacts(cloud, store, body)]
    with cloud.store.transaction() as db:
        pair = (pipeline["name"], run["name"])
        db.execute("INSERT OR IGNORE INTO metadata_children VALUES (?, ?)", pair)
        for name in members:
            db.execute("INSERT OR IGNORE INTO metadata_members VALUES (?, ?)", (run["name"], name))
    return {"pipelineContext": pipeline, "pipelineRunContext": run}


def refreshed(cloud: Cloud, body: Body) -> Body:
    """A job whose run's context names those that it is in now, its experiment among them."""
    detail = body.get("jobDetail", {})
    if "pipelineRunContext" not in detail:
        return body
    run = detail["pipelineRunContext"]
    above = metadata_links.parents(cloud, [run["name"]]).get(run["name"], [])
    return {
        **body,
        "jobDetail": {**detail, "pipelineRunContext": {**run, "parentContexts": above}},
    }


def _store(cloud: Cloud, body: Body) -> str:
    """The default metadata store, which Google makes with the first pipeline."""
    location = names.location(body["name"]).name
    name = f"{location}/metadataStores/default"
    if cloud.resources.get(name) is None:
        request = {"parent": location, "metadataStoreId": "default"}
        metadata_stores.create_metadata_store(cloud, request)
    return name


def _id(text: str) -> str:
    return re.sub(r"[^a-z0-9-]", "-", text.lower()).ljust(4, "-")[:128]


def _node(cloud: Cloud, noun: Noun, store: str, last: str, title: str, **more: Any) -> Body:
    found = cloud.resources.get(f"{store}/{noun.collection}/{last}")
    if found is not None:
        return found
    version = {"schemaVersion": SYSTEM_VERSION} if title else {}
    sent = {key: value for key, value in {"schemaTitle": title, **version, **more}.items() if value}
    return noun.add(cloud, store, last, sent)


def _execution(cloud: Cloud, store: str, job: str, body: Body, state: str) -> str:
    values = body.get("runtimeConfig", {}).get("parameterValues", {})
    metadata = {f"input:{name}": value for name, value in values.items()}
    found = _node(cloud, EXECUTION, store, job, "system.Run", displayName=job, metadata=metadata)
    present = STATES.get(state, "RUNNING")
    if found.get("state") != present:
        changed = resources.stamped(cloud, {**found, "state": present})
        cloud.resources.replace(found["name"], changed)
    return str(found["name"])


def _artifacts(cloud: Cloud, store: str, body: Body) -> list[str]:
    made = []
    for task in body[TASKS].values():
        for key, artifacts in task.get("outputs", {}).get("artifacts", {}).items():
            for place, one in enumerate(artifacts):
                source = f"{body['name']}/{task['path']}/{key}/{place}"
                last = hashlib.sha256(source.encode()).hexdigest()[:32]
                title = one.get("type", {}).get("schemaTitle", "")
                known = title if title in system_schemas() else ""
                more = {"uri": one["uri"], "metadata": one.get("metadata"), "displayName": key}
                made.append(_node(cloud, ARTIFACT, store, last, known, **more)["name"])
    return made
