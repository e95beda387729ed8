"""What every kind of job goes through: pending, running, perhaps cancelling, one final state.

All of a job's state is in its row, so that a server that was killed at any instant finds the jobs
that have not ended and goes on with them.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from emulator.aiplatform import names, resources
from emulator.cloud import Cloud
from emulator.errors import ApiError

Body = dict[str, Any]
CANCELLED: Body = {"code": 1, "message": "CANCELED"}
# The resource that a job works for, and which follows it: a pipeline, a tuning job.
OWNER = "_pipeline"
FINAL_WORDS = ("SUCCEEDED", "FAILED", "CANCELLED")
OUTPUT_ONLY = ("name", "state", "error", "startTime", "endTime")


@dataclass(frozen=True)
class Lifecycle:
    """One kind of job: its kind in the store, its name in texts and messages, its state's enum."""

    kind: str
    noun: str
    title: str
    enum: str = "JOB_STATE"

    @property
    def final_states(self) -> frozenset[str]:
        """The states that no job leaves."""
        return frozenset(self.state(word) for word in FINAL_WORDS)

    def state(self, word: str) -> str:
        """The state's full name: `RUNNING` as `JOB_STATE_RUNNING`."""
        return f"{self.enum}_{word}"

    def is_final(self, body: Mapping[str, Any]) -> bool:
        """Whether the job has ended."""
        return body["state"] in self.final_states

    def require(self, cloud: Cloud, name: str) -> Body:
        """The job. NOT_FOUND in Google's words."""
        return resources.require(cloud, self.noun, name)

    def insert(self, cloud: Cloud, name: str, wanted: Mapping[str, Any]) -> Body:
        """A new job of that name, PENDING; joins the caller's transaction."""
        kept = {key: value for key, value in wanted.items() if key not in OUTPUT_ONLY}
        body = resources.created(cloud, {**kept, "name": name, "state": self.state("PENDING")})
        body.pop("etag")
        cloud.resources.insert(self.kind, name, body, names.location(name).name)
        return body

    def store(self, cloud: Cloud, body: Body, **changes: Any) -> Body:
        """The job as changed; for the inside of a transaction."""
        changed = {**body, **changes, "updateTime": resources.now(cloud)}
        cloud.resources.replace(body["name"], changed)
        return changed

    def end(self, cloud: Cloud, body: Body, word: str, at: str = "", **changes: Any) -> Body:
        """The job in a final state; for the inside of a transaction.

        It ended `at` that time, which may be before the server could see it, or now.
        """
        end = now = resources.now(cloud)
        if at:
            end = min(now, max(at, body.get("startTime", "")))
        return self.store(cloud, body, state=self.state(word), endTime=end, **changes)

    def mark_running(self, cloud: Cloud, name: str, **changes: Any) -> bool:
        """Whether the job was pending and is running from now on."""
        with cloud.store.transaction():
            body = cloud.resources.require(name)
            if body["state"] != self.state("PENDING"):
                return False
            now = resources.now(cloud)
            self.store(cloud, body, state=self.state("RUNNING"), startTime=now, **changes)
        return True

    def unfinished(self, cloud: Cloud) -> list[str]:
        """The names of all jobs that have not ended, but for those that another one follows."""
        with cloud.store.read() as db:
            rows = db.execute(
                "SELECT name FROM resources WHERE kind = ? ORDER BY seq", (self.kind,)
            ).fetchall()
        bodies = [cloud.resources.require(name) for (name,) in rows]
        return [one["name"] for one in bodies if not self.is_final(one) and OWNER not in one]

    def is_cancelling(self, cloud: Cloud, name: str) -> bool:
        """Whether somebody has asked for the job's end."""
        return bool(cloud.resources.require(name)["state"] == self.state("CANCELLING"))

    def cancel(self, cloud: Cloud, name: str) -> Body | None:
        """The job, which from now on can only end as cancelled; None where it has ended before."""
        with cloud.store.transaction():
            body = self.require(cloud, name)
            if self.is_final(body):
                return None
            return self.store(cloud, body, state=self.state("CANCELLING"))

    def delete(self, cloud: Cloud, name: str) -> Body:
        """The operation of a deletion; FAILED_PRECONDITION while the job goes on."""
        with cloud.store.transaction():
            body = self.require(cloud, name)
            if not self.is_final(body):
                raise ApiError(
                    "FAILED_PRECONDITION",
                    f'The {self.title} "{name}" is in state {body["state"]} and cannot be deleted. '
                    "Cancel it first.",
                )
            cloud.resources.delete(name)
            metadata = resources.typed("DeleteOperationMetadata", {})
            return cloud.operations.done(names.parent(name), metadata, resources.EMPTY)


TRAINING_PIPELINE = Lifecycle(
    "aiplatform.TrainingPipeline", "training pipeline", "TrainingPipeline", "PIPELINE_STATE"
)
PIPELINE_JOB = Lifecycle("aiplatform.PipelineJob", "pipeline job", "PipelineJob", "PIPELINE_STATE")
CUSTOM_JOB = Lifecycle("aiplatform.CustomJob", "custom job", "CustomJob")
BATCH_PREDICTION_JOB = Lifecycle(
    "aiplatform.BatchPredictionJob", "batch prediction job", "BatchPredictionJob"
)
TUNING_JOB = Lifecycle(
    "aiplatform.HyperparameterTuningJob", "hyperparameter tuning job", "HyperparameterTuningJob"
)
