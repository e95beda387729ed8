"""What there is in a cloud, counted by kind: asked of its API and not of `ops`."""

import re
from collections import Counter
from typing import Any
from urllib.error import HTTPError

from tests.ops.life import Life

BUCKET = "local-project-ops-default"
OBJECTS = {
    r"images/": "photo",
    r"datasets/": "data set file",
    r"locks/": "lock",
    r"runs/[^/]+/plan.json": "run on record",
    r"runs/[^/]+/result.json": "result on record",
    r"runs/[^/]+/events.jsonl": "record of events",
}


def standing(life: Life) -> Counter[str]:
    """How many there are of everything in the project."""
    found = Counter(kind_of_object(name) for name in objects(life) or [])
    found["bucket"] = objects(life) is not None
    for dataset in life.listed("datasets"):
        found["data set"] += 1
        found["item of a data set"] += len(under(life, dataset["name"], "dataItems"))
    for training in life.listed("trainingPipelines"):
        done = training["state"] == "PIPELINE_STATE_SUCCEEDED"
        found["training" if done else "training at work"] += 1
    found["custom job"] = len(life.listed("customJobs"))
    for endpoint in life.listed("endpoints"):
        found["endpoint"] += 1
        found["deployed model"] += len(endpoint.get("deployedModels", []))
    for model in life.listed("models"):
        found.update(of_model(life, model["name"]))
    return +found


def of_model(life: Life, name: str) -> Counter[str]:
    """How many versions a model has, and evaluations and slices in all of them."""
    versions = life.asked(f"/v1/{name}:listVersions?pageSize=1000")["models"]
    found = Counter({"model": 1, "model version": len(versions)})
    for version in versions:
        for evaluation in under(life, f"{name}@{version['versionId']}", "evaluations"):
            found["evaluation"] += 1
            found["slice"] += len(under(life, evaluation["name"], "slices"))
    return found


def under(life: Life, name: str, collection: str) -> list[dict[str, Any]]:
    """The resources of a collection under one resource."""
    found = life.asked(f"/v1/{name}/{collection}?pageSize=100")
    return next((value for value in found.values() if isinstance(value, list)), [])


def objects(life: Life) -> list[str] | None:
    """The names in the bucket; None without a bucket."""
    try:
        found = life.asked(f"/storage/v1/b/{BUCKET}/o?maxResults=5000")
    except HTTPError as error:
        if error.code != 404:
            raise
        return None
    return [str(one["name"]) for one in found.get("items", [])]


def kind_of_object(name: str) -> str:
    """What an object is, in a word."""
    return next((kind for form, kind in OBJECTS.items() if re.match(form, name)), "file of a run")


def unfinished(life: Life) -> list[str]:
    """The runs with a plan and without a result."""
    found = objects(life) or []
    planned = (re.fullmatch(r"runs/([^/]+)/plan.json", name) for name in found)
    runs = [match[1] for match in planned if match]
    return [run for run in runs if f"runs/{run}/result.json" not in found]


def counted(found: Counter[str]) -> str:
    """`photo x2, lock`: each kind and how many, one being left unsaid."""
    return ", ".join(f"{kind} x{count}" if count > 1 else kind for kind, count in found.items())


def difference(before: Counter[str], after: Counter[str]) -> str:
    """What there is more and less of; a dash for no difference."""
    more, less = after - before, before - after
    return ", ".join(filter(None, [counted(more), f"gone: {counted(less)}" if less else ""])) or "—"
