"""What an AutoML model says of each test photo, asked of a batch prediction job: priced, capped.

Google keeps no such answers of its own. They are left at runs/<training run>/batch/ in the form of
our own trainings' predictions.jsonl, where the check of a deployment and `ops evaluate` find them.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from ops import names
from ops.cloud import instances, jobs, storage
from ops.cloud.jobs import BatchJob
from ops.cloud.models import Model
from ops.data import manifest
from ops.data.formats import FORMATS, JPEG
from ops.errors import Code, OpsError
from ops.ledger import Ledger, Run, RunState
from ops.pricing import estimate, rates
from ops.pricing.estimate import Cost
from ops.progress import Progress
from ops.workflows import evaluate_photos as kept

CHECKING = "checking"
NODE_HOURS = 1.0
"""What the job may take unless --max-cost leaves more, which must leave as much; `ops` stops it
then. Google documents no speed of AutoML batch prediction."""
INPUT, OUTPUT = "batch-input.jsonl", "batch-output"
WATCH_SECONDS = 24 * 3600.0
MULTI_LABEL_SCORE = 0.5
Now = Callable[[], datetime]


@dataclass(frozen=True)
class BatchPlan:
    """The job that is needed: test photos with their true labels, and the most it may cost."""

    rows: tuple[manifest.Row, ...]
    labels: tuple[str, ...]
    most: Cost

    @property
    def most_hours(self) -> float:
        """Node hours after which the job is stopped."""
        return self.most.quantity


def plan(ledger: Ledger, model: Model, usd_left: float | None) -> BatchPlan:
    """The job that a check of this AutoML model needs.

    `usd_left` is what the cap leaves for it, at least NODE_HOURS; None without a cap. NOT_FOUND
    for a model whose test photos are not known.
    """
    rows = _test_rows(ledger, model)
    region = ledger.session.settings.region
    rate = rates.rate(rates.AUTOML_BATCH, region).usd
    hours = NODE_HOURS if usd_left is None else max(usd_left / rate, NODE_HOURS)
    labels = sorted({label for row in rows for label in row.labels})
    return BatchPlan(tuple(rows), tuple(labels), estimate.automl_batch(hours, region))


def _test_rows(ledger: Ledger, model: Model) -> list[manifest.Row]:
    run = model.labels.get(names.LABEL_RUN, "")
    record = ledger.get(run).plan if run else {}
    found = None
    if "dataset" in record.get("inputs", {}):
        folder = names.dataset_prefix(record["inputs"]["dataset"], str(record["data_digest"]))
        bucket = ledger.session.settings.bucket
        found = storage.read_text(ledger.session, bucket, f"{folder}manifest.jsonl")
    rows = manifest.from_jsonl(found.text) if found else []
    tested = [row for row in rows if row.split == "test" and row.labels]
    if tested:
        return tested
    raise OpsError(
        Code.NOT_FOUND,
        f"--check needs the test photos of model {model.short}, and no manifest has any.",
        "Leave out --check",
    )


def ensure(
    ledger: Ledger,
    run: Run,
    model: Model,
    plan: BatchPlan,
    progress: Progress,
    now: Now = lambda: datetime.now(UTC),
) -> None:
    """Return once the answers are left beside the training; the run's one job is taken up.

    JOB_FAILED when the job fails, OVER_CAP when it was stopped at its cap; the run has failed then.
    """
    job = _submit_once(ledger, run, model, plan)
    progress.goes_on(
        f"The batch prediction {names.resource_id(job.name)} goes on; type the same command again "
        "to take it up."
    )
    ended = _watch(ledger, job, plan, progress, now)
    if not ended.succeeded:
        raise _failed(run, ended, plan)
    answers = _answers(ledger, ended)
    _leave(ledger, model.labels[names.LABEL_RUN], plan, answers)


def _submit_once(ledger: Ledger, run: Run, model: Model, plan: BatchPlan) -> BatchJob:
    """The run's job, found by its label or submitted; never a second."""
    session, bucket = ledger.session, ledger.session.settings.bucket
    stack = names.label_value(session.settings.stack)
    with ledger.lock(run.id):
        found = jobs.batch_find(session, {names.LABEL_STACK: stack, names.LABEL_RUN: run.id})
        usable = [one for one in found if one.succeeded or not one.is_ended]
        if usable:
            return usable[-1]
        source = names.run_object(run.id, INPUT)
        storage.write_text(session, bucket, source, input_jsonl(plan.rows))
        job = jobs.batch_submit(
            session,
            display_name=run.id,
            model=model.full,
            input_uri=names.gs_uri(bucket, source),
            output_prefix=names.gs_uri(bucket, names.run_object(run.id, OUTPUT)),
            labels=run.labels,
            parameters=instances.every_score("automl", len(plan.labels)),
        )
        run.event(CHECKING, job=job.name, photos=len(plan.rows), node_hours=plan.most_hours)
    return job


def input_jsonl(rows: Sequence[manifest.Row]) -> str:
    """Vertex's input for AutoML image models: a line a photo, by address and type."""
    types = {f".{known.extension}": known.mime_type for known in FORMATS.values()}
    lines = []
    for row in rows:
        suffix = "." + row.uri.rpartition(".")[2].lower()
        line = {"content": row.uri, "mimeType": types.get(suffix, JPEG.mime_type)}
        lines.append(json.dumps(line, separators=(",", ":")))
    return "".join(f"{line}\n" for line in lines)


def _watch(
    ledger: Ledger, job: BatchJob, plan: BatchPlan, progress: Progress, now: Now
) -> BatchJob:
    cap = timedelta(hours=plan.most_hours)
    seen, stopped = [job], [False]

    def look() -> BatchJob | None:
        seen[0] = jobs.batch_get(ledger.session, job.name)
        began = seen[0].started
        if began and now() - began > cap and not seen[0].is_ended and not stopped[0]:
            jobs.batch_cancel(ledger.session, job.name)
            stopped[0] = True
        return seen[0] if seen[0].is_ended else None

    with progress.step("Asking the batch job", len(plan.rows), "photos") as step:

        def tell(_: Any) -> None:
            step.reach(seen[0].predicted + seen[0].failed)

        ended = ledger.session.poll(look, WATCH_SECONDS, on_poll=tell, what="The batch prediction")
        step.reach(len(plan.rows))
    assert isinstance(ended, BatchJob)
    return ended


def _failed(run: Run, ended: BatchJob, plan: BatchPlan) -> OpsError:
    cancelled = ended.state == "JOB_STATE_CANCELLED"
    is_served = run.state is RunState.SUCCEEDED
    if not is_served:
        state = RunState.CANCELLED if cancelled else RunState.FAILED
        run.finish({"batch_job": ended.name, "error": ended.error or ended.state}, state)
    left = "The model is served as before, unchecked." if is_served else "Nothing was deployed."
    job = names.resource_id(ended.name)
    if cancelled:
        return OpsError(
            Code.OVER_CAP,
            f"The batch prediction {job} was cancelled; it may take {plan.most_hours:.3g} node "
            f"hour{'' if plan.most_hours == 1 else 's'} (${plan.most.usd:.2f}). "
            f"{left} Google bills what it used.",
            "Type a higher --max-cost, or leave out --check",
        )
    why = ended.error.rstrip(".") or ended.state
    return OpsError(
        Code.JOB_FAILED,
        f"The batch prediction {job} failed: {why}. {left}",
        "Type the same command again to ask anew, or leave out --check",
    )


def _answers(ledger: Ledger, ended: BatchJob) -> dict[str, Mapping[str, float]]:
    """The scores of each photo by its address, from whichever names the result files have.

    `predictions_0001.jsonl` by the API's reference, `prediction.results-N-of-M` by the guide.
    """
    bucket, folder = names.parse_gs_uri(ended.output_directory)
    answers: dict[str, Mapping[str, float]] = {}
    for one in storage.list_objects(ledger.session, bucket, folder.rstrip("/") + "/"):
        if not one.name.rpartition("/")[2].startswith("prediction"):
            continue
        found = storage.read_text(ledger.session, bucket, one.name)
        for line in (found.text if found else "").splitlines():
            row = json.loads(line)
            if "prediction" in row:
                answers[row["instance"]["content"]] = instances.answer(
                    "automl", row["prediction"]
                ).scores
    return answers


def _leave(
    ledger: Ledger, run_id: str, plan: BatchPlan, answers: Mapping[str, Mapping[str, float]]
) -> None:
    """Write labels and predictions; the predictions last, whose presence says that all is there."""
    labels = sorted({*plan.labels, *(label for one in answers.values() for label in one)})
    folder = names.run_object(run_id, kept.BATCH_FOLDER)
    texts = {
        kept.LABELS_FILE: "".join(f"{label}\n" for label in labels),
        kept.PREDICTIONS_FILE: predictions_jsonl(plan.rows, labels, answers),
    }
    for name, text in texts.items():
        storage.write_text(ledger.session, ledger.session.settings.bucket, folder + name, text)


def predictions_jsonl(
    rows: Sequence[manifest.Row],
    labels: Sequence[str],
    answers: Mapping[str, Mapping[str, float]],
) -> str:
    """A line for each photo that was answered, as our own trainings leave it."""
    several = any(len(row.labels) > 1 for row in rows)
    lines = []
    for row in rows:
        scores = answers.get(row.uri)
        if not scores:
            continue
        line: dict[str, Any] = {"uri": row.uri, "labels": list(row.labels)}
        line["prediction"] = max(scores, key=lambda label: scores[label])
        if several:
            line["predictions"] = [one for one in labels if scores.get(one, 0) >= MULTI_LABEL_SCORE]
        line["scores"] = [scores.get(label, 0.0) for label in labels]
        lines.append(json.dumps(line, ensure_ascii=False))
    return "".join(f"{line}\n" for line in lines)
