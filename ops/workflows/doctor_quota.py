"""The quota that a job needs: Vertex AI's own, which Compute Engine's is no part of.

Training, spot training and serving have each their own; AutoML has its own too, and takes no GPU
from any. Names: see gpus.toml. Google says in a refusal which quota was short.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from urllib.parse import urlencode

from ops import names
from ops.cloud import quotas, rest
from ops.cloud.quotas import Quota
from ops.cloud.session import Session
from ops.pricing import gpus, machines, regions
from ops.pricing.gpus import QuotaName
from ops.workflows.doctor_check import AUTOML, SERVING, Check, Job, Level
from ops.workflows.doctor_google import Visit

# "5 concurrent training jobs" per region: docs.cloud.google.com, Agent Platform, quotas, read
# 2026-08-22. No id of it in Cloud Quotas is known.
AUTOML_TRAININGS = 5
# What refusals name begins so, and no other is known:
# AutoMLImageClassificationDeployedModelNodes (github.com/GoogleCloudPlatform/vertex-ai-samples/
# issues/264).
AUTOML_NODES = "AutoMLImageClassificationDeployedModelNodes"
AUTOML_IDS = "AutoMLImageClassification"
AUTOML_TASK = "automl_image_classification"
RUNNING = 'state="PIPELINE_STATE_RUNNING" OR state="PIPELINE_STATE_PENDING"'
PAGE = 100
DASHES = str.maketrans({"_": "-"})


@dataclass(frozen=True)
class Wanted:
    """A quota and how much of it the job takes; `use` and `gpu` are for Terraform's variable."""

    name: QuotaName
    count: int
    use: str
    gpu: str = ""


def quota(visit: Visit) -> Check:
    """What is there and what is asked, of each quota that the job needs, in one line."""
    job, region = visit.case.job, visit.session.settings.region
    if not job.mode and not regions.has_automl(region):
        return Check("Quota", Level.OK, f"{region} has no AutoML; name a job: --job custom")
    if job.mode in ("", AUTOML):
        return _automl(visit)
    checks = [_one(visit, one) for one in wanted(job)]
    level = max(check.level for check in checks)
    found = "; ".join(check.found for check in checks)
    fix = "\n".join(check.fix for check in checks if check.level is level and check.fix)
    return Check("Quota", level, found, fix)


def wanted(job: Job) -> tuple[Wanted, ...]:
    """The quotas of a custom training or of serving: of its accelerator, and of N1's CPUs."""
    serving = job.mode == SERVING
    use = SERVING if serving else ("spot-training" if job.is_spot else "training")
    found = []
    if job.accelerator:
        name = gpus.quota(job.accelerator, serving=serving, spot=job.is_spot)
        found.append(Wanted(name, job.count, use, job.accelerator))
    if gpus.on_n1(job.accelerator):
        machine = machines.DEFAULT_SERVING_MACHINE if serving else machines.DEFAULT_TRAINING_MACHINE
        cpus = int(machine.rpartition("-")[2]) * (1 if job.accelerator else job.count)
        found.append(Wanted(gpus.quota("", serving=serving, spot=job.is_spot), cpus, use))
    return tuple(found)


def _one(visit: Visit, asked: Wanted) -> Check:
    session = visit.session
    region = session.settings.region
    there = quotas.get(session, asked.name.id) or quotas.by_metric(session, asked.name.metric)
    if there is None or there.value is None:
        found = f"{asked.name.id}: Google lists none in {region}"
        level = Level.FAILURE if asked.gpu else Level.WARNING
        return Check("Quota", level, found, _console(session) if level is Level.WARNING else "")
    granted = "unlimited" if there.value == quotas.UNLIMITED else f"{there.value:,}"
    found = f"{there.id} in {region}: {granted}, asked {asked.count}"
    if there.has(asked.count):
        return Check("Quota", Level.OK, found)
    if there.ineligible:
        found += f"; Google takes no request for more ({there.ineligible})"
    return Check("Quota", Level.FAILURE, found, _more(session, asked, there))


def _more(session: Session, asked: Wanted, there: Quota) -> str:
    """What asks for more: Terraform's variable for an accelerator, a command for CPUs."""
    settings = session.settings
    if asked.gpu:
        key = asked.gpu.removeprefix(gpus.MAKER).lower().translate(DASHES)
        row = f'gpu = "{asked.gpu}", use = "{asked.use}", count = {asked.count}'
        known = "" if settings.infra.get("contact_email") else 'contact_email = "YOU@EXAMPLE.COM", '
        return f"ops bootstrap   (with {known}gpu_quota = {{ {key} = {{ {row} }} }} in [infra])"
    dimensions = f"--dimensions=region={settings.region}"
    return (
        f"gcloud beta quotas preferences create --service={quotas.SERVICE} --quota-id={there.id} "
        f"--preferred-value={asked.count} {dimensions} --project={settings.project} --email=EMAIL"
    )


def automl(running: int, there: Sequence[Quota], job: Job, console: str) -> Check:
    """AutoML's own: how many train at a time, and what Cloud Quotas lists of it in the region."""
    listed = [one for one in there if one.value is not None]
    said = [f"AutoML: {running} of {AUTOML_TRAININGS} trainings at a time run (Google's default)"]
    said += [f"{one.id}: {one.value:,}, asked 1" for one in listed]
    said += [] if listed else ["Cloud Quotas lists none of AutoML's here"]
    if running >= AUTOML_TRAININGS:
        return Check("Quota", Level.FAILURE, "; ".join(said), "ops status   (and wait for one)")
    if not all(one.has(1) for one in listed):
        return Check("Quota", Level.FAILURE, "; ".join(said), console)
    if job.accelerator or job.is_spot:
        said.append("it takes neither --accelerator nor --spot: its machines are its own")
        return Check("Quota", Level.WARNING, "; ".join(said), "ops doctor --job automl")
    return Check("Quota", Level.OK, "; ".join(said))


def _automl(visit: Visit) -> Check:
    session = visit.session
    named = quotas.get(session, AUTOML_NODES)
    there = [named] if named else _automl_quotas(session)
    return automl(_trainings(session), there, visit.case.job, _console(session))


def _automl_quotas(session: Session) -> list[Quota]:
    return [one for one in quotas.listed(session) if one.id.startswith(AUTOML_IDS)]


def _trainings(session: Session) -> int:
    """How many AutoML trainings of images wait or run in the region."""
    where = names.location(session.settings.project, session.settings.region)
    query = urlencode({"filter": RUNNING})
    host = f"{session.settings.region}-aiplatform.googleapis.com"
    path = f"/v1/{where}/trainingPipelines?{query}"
    listed = rest.pages(session, host, path, "trainingPipelines", PAGE)
    return sum(AUTOML_TASK in str(one.get("trainingTaskDefinition", "")) for one in listed)


def _console(session: Session) -> str:
    query = urlencode({"service": quotas.SERVICE, "project": session.settings.project})
    return f"https://console.cloud.google.com/iam-admin/quotas?{query}"
