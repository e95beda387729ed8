"""What a custom job is asked to run, checked as Google checks it before anything starts."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator
from typing import Any

from emulator.aiplatform import machines, messages
from emulator.aiplatform.resources import field_errors
from emulator.errors import ApiError

Body = dict[str, Any]
# "args" of all containers together ("Create a custom training pipeline", read 2026-08-22).
MAX_ARGUMENT_CHARACTERS = 100_000
MAX_PACKAGES = 100
MAX_VARIABLES = 100
# DiskSpec (machine_resources.proto); sizes: training_jobs.py of google-cloud-aiplatform 2.7.0.
DISK_TYPES = ("pd-ssd", "pd-standard", "hyperdisk-balanced")
MIN_DISK_GB, MAX_DISK_GB = 100, 64_000
_EMAIL = re.compile(r"[^@\s]+@[^@\s]+\.[^@\s.]+")
# Scheduling.timeout: "The default is 7 days" (custom_job.proto).
DEFAULT_TIMEOUT_SECONDS = 7 * 24 * 3600.0
Problem = tuple[str, str]


def checked(sent: Any, field: str) -> Body:
    """The job spec in its canonical form, whether it came in camelCase or snake_case.

    INVALID_ARGUMENT lists every field that is wrong; UNIMPLEMENTED for more than one replica,
    which no single machine can run as Google would.
    """
    if not isinstance(sent, dict):
        raise field_errors([(field, "Required field is not set.")])
    spec = messages.canonical("CustomJobSpec", sent)
    problems = [*_pools(spec, field), *_output(spec, field), *_run(spec, field)]
    if problems:
        raise field_errors(problems)
    _refuse_clusters(spec)
    return spec


def primary(spec: Body) -> Body:
    """The pool of the replica that decides how the job ends."""
    pool: Body = spec["workerPoolSpecs"][0]
    return pool


def image(spec: Body) -> str:
    """The image of the primary replica: its container, or the one that runs its package."""
    found = code(spec)
    return str(found.get("imageUri") or found["executorImageUri"])


def code(spec: Body) -> Body:
    """The container or package of the primary replica: both have `args` and `env`."""
    pool = primary(spec)
    found: Body = pool.get("containerSpec") or pool["pythonPackageSpec"]
    return found


def output_uri(spec: Body) -> str:
    """`baseOutputDirectory` without a slash at its end, or an empty text."""
    return str(spec.get("baseOutputDirectory", {}).get("outputUriPrefix", "")).rstrip("/")


def timeout_seconds(spec: Body) -> float:
    """How long the job may run."""
    sent = spec.get("scheduling", {}).get("timeout")
    return float(sent.removesuffix("s")) if sent else DEFAULT_TIMEOUT_SECONDS


def _pools(spec: Body, field: str) -> Iterator[Problem]:
    pools = spec.get("workerPoolSpecs", [])
    if not pools:
        yield f"{field}.worker_pool_specs", "At least one worker pool must be specified."
    if pools and int(pools[0].get("replicaCount", 0)) > 1:
        message = "The first worker pool, the primary replica, must have replica_count 1."
        yield f"{field}.worker_pool_specs[0].replica_count", message
    for place, pool in enumerate(pools):
        yield from _pool(pool, f"{field}.worker_pool_specs[{place}]")


def _pool(pool: Body, field: str) -> Iterator[Problem]:
    if int(pool.get("replicaCount", 0)) < 1:
        yield f"{field}.replica_count", "Replica count must be at least 1."
    yield from machine_problems(pool.get("machineSpec", {}), field)
    yield from _disk(pool.get("diskSpec", {}), f"{field}.disk_spec")
    if "containerSpec" in pool:
        yield from _code(pool["containerSpec"], f"{field}.container_spec", "imageUri")
    elif "pythonPackageSpec" in pool:
        yield from _package(pool["pythonPackageSpec"], f"{field}.python_package_spec")
    else:
        yield field, "One of container_spec and python_package_spec must be specified."


def _disk(disk: Body, field: str) -> Iterator[Problem]:
    kind, size_gb = disk.get("bootDiskType", ""), int(disk.get("bootDiskSizeGb", 0))
    if kind and kind not in DISK_TYPES:
        yield f"{field}.boot_disk_type", f'"{kind}" is none of {", ".join(DISK_TYPES)}.'
    if size_gb and not MIN_DISK_GB <= size_gb <= MAX_DISK_GB:
        message = f"The size must be from {MIN_DISK_GB} to {MAX_DISK_GB} GB. Received: {size_gb}."
        yield f"{field}.boot_disk_size_gb", message


def machine_problems(machine: Body, pool: str) -> Iterator[Problem]:
    """What is wrong with the machine spec of a pool, whose field is `pool`."""
    field = f"{pool}.machine_spec"
    kind = machine.get("machineType", "")
    if not kind:
        yield f"{field}.machine_type", "Required field is not set."
        return
    allowed = machines.accelerators_of(kind)
    if allowed is None:
        yield f"{field}.machine_type", f'Machine type "{kind}" is not supported.'
        return
    accelerator, count = machine.get("acceleratorType"), int(machine.get("acceleratorCount", 0))
    if count and not accelerator:
        yield f"{field}.accelerator_type", "Required when accelerator_count is set."
    if accelerator and accelerator not in allowed:
        message = f'Accelerator "{accelerator}" is not supported with machine type "{kind}".'
        yield f"{field}.accelerator_type", message
    if accelerator and count < 1:
        yield f"{field}.accelerator_count", "Accelerator count must be at least 1."


def _code(code: Body, field: str, key: str) -> Iterator[Problem]:
    if not code.get(key):
        snake = "image_uri" if key == "imageUri" else "executor_image_uri"
        yield f"{field}.{snake}", "Required field is not set."
    if sum(map(len, code.get("args", []))) > MAX_ARGUMENT_CHARACTERS:
        message = f"The arguments are longer than {MAX_ARGUMENT_CHARACTERS:,} characters."
        yield f"{field}.args", message
    named = [variable.get("name", "") for variable in code.get("env", [])]
    if len(named) > MAX_VARIABLES:
        yield f"{field}.env", f"No more than {MAX_VARIABLES} environment variables are allowed."
    if "" in named:
        yield f"{field}.env", "An environment variable needs a name."
    if repeated := [name for name, count in Counter(named).items() if count > 1]:
        yield f"{field}.env", f"Environment variables are set twice: {', '.join(repeated)}."


def _package(package: Body, field: str) -> Iterator[Problem]:
    yield from _code(package, field, "executorImageUri")
    if not package.get("pythonModule"):
        yield f"{field}.python_module", "Required field is not set."
    uris = package.get("packageUris", [])
    if not 1 <= len(uris) <= MAX_PACKAGES:
        yield f"{field}.package_uris", f"From 1 to {MAX_PACKAGES} packages are allowed."
    for uri in uris:
        if not uri.startswith("gs://"):
            yield f"{field}.package_uris", f"Not a Cloud Storage URI: {uri}"


def _output(spec: Body, field: str) -> Iterator[Problem]:
    uri = output_uri(spec)
    bucket = uri.removeprefix("gs://").partition("/")[0]
    if uri and (not uri.startswith("gs://") or not bucket or ".." in uri.split("/")):
        message = f"Not a Cloud Storage folder: {uri}"
        yield f"{field}.base_output_directory.output_uri_prefix", message


def _run(spec: Body, field: str) -> Iterator[Problem]:
    account = spec.get("serviceAccount", "")
    if account and not _EMAIL.fullmatch(account):
        yield f"{field}.service_account", f"Not the email of a service account: {account!r}."
    if timeout_seconds(spec) <= 0:
        yield f"{field}.scheduling.timeout", "The timeout must be positive."


def _refuse_clusters(spec: Body) -> None:
    replicas = sum(int(pool["replicaCount"]) for pool in spec["workerPoolSpecs"])
    if replicas > 1:
        message = f"The local cloud runs jobs of one replica. Received: {replicas} replicas."
        raise ApiError("UNIMPLEMENTED", message)
