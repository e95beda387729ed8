"""Rows asked of a model's server: each has its prediction or its error, whatever the others do."""

from __future__ import annotations

import asyncio
import json
import re
from typing import Any

from emulator.aiplatform import batch_rows, models, predictions, serving, storage_access
from emulator.aiplatform.batch_rows import BatchRow
from emulator.aiplatform.import_files import RowError
from emulator.aiplatform.prediction_client import Answered, post
from emulator.aiplatform.serving import Address
from emulator.aiplatform.storage_access import Access
from emulator.cloud import Cloud

Body = dict[str, Any]
INVALID_ARGUMENT = 3
BUSY = 503
BUSY_ATTEMPTS = 30
# A row is told by its own place in the input, not by that in a request.
PLACE = re.compile(r"^instance \d+: ")


async def ask(cloud: Cloud, body: Body, deployed: Body, rows: list[BatchRow]) -> list[Body] | None:
    """A result for each row; None when there is no answer and the server has to be seen to."""
    import httpx

    model = models.require(cloud, models.deployed_version(deployed))
    is_automl = models.is_automl(model)
    access = storage_access.of_batch(cloud, body)
    prepared = await asyncio.to_thread(_prepare, cloud, rows, body, is_automl, access)
    good = [place for place, one in enumerate(prepared) if not isinstance(one, RowError)]
    asking = _Asking(cloud, body, deployed, model)
    try:
        answers = await asking.answers([prepared[place] for place in good])
    except httpx.HTTPError:
        return None
    found = dict(zip(good, answers, strict=True))
    return [
        {**batch_rows.told(row, body), **_told(found.get(place, prepared[place]))}
        for place, row in enumerate(rows)
    ]


def no_answer(body: Body, row: BatchRow) -> Body:
    """The result of a row that the model's server does not survive."""
    problem = RowError("The model's server ended without an answer.")
    return {**batch_rows.told(row, body), **_told(problem)}


def _prepare(
    cloud: Cloud, rows: list[BatchRow], body: Body, is_automl: bool, access: Access
) -> list[Any]:
    """Instances to send, and a RowError in place of each that cannot be sent."""
    prepared: list[Any] = []
    for row in rows:
        try:
            prepared.append(batch_rows.instance(cloud, row, body, is_automl, access))
        except RowError as problem:
            prepared.append(problem)
    return prepared


def _told(answer: Any) -> Body:
    if isinstance(answer, RowError):
        return {"error": {"code": INVALID_ARGUMENT, "message": str(answer)}}
    return {"prediction": answer}


class _Asking:
    """One job's way to its model's server."""

    def __init__(self, cloud: Cloud, body: Body, deployed: Body, model: Body) -> None:
        self._cloud, self._body, self._deployed, self._model = cloud, body, deployed, model

    async def answers(self, instances: list[Any]) -> list[Any]:
        """A prediction or a RowError for each; one at a time where they are refused together."""
        if not instances:
            return []
        answer = await self._post(instances)
        if not isinstance(answer, RowError):
            return [self._told(one) for one in answer]
        if len(instances) == 1:
            return [RowError(PLACE.sub("", str(answer)))]
        return [one for each in instances for one in await self.answers([each])]

    def _told(self, prediction: Any) -> Any:
        problem = predictions.problem_of(prediction)
        if problem is not None:
            return RowError(PLACE.sub("", problem))
        return predictions.with_ids(prediction, self._model)

    async def _post(self, instances: list[Any]) -> list[Any] | RowError:
        server = serving.address(self._cloud, self._body["name"], self._deployed["id"])
        assert server is not None, "it was healthy"
        request: Body = {"instances": instances}
        if "modelParameters" in self._body:
            request["parameters"] = self._body["modelParameters"]
        answered = await _patiently(server, json.dumps(request).encode())
        try:
            if answered.status == 200:
                answer = list(json.loads(answered.content)["predictions"])
                if len(answer) == len(instances):
                    return answer
                return RowError(f"{len(answer)} predictions came for {len(instances)} instances.")
            return RowError(predictions.refused(answered).message)
        except (ValueError, KeyError, TypeError):
            return RowError("The model's server did not answer with predictions.")


async def _patiently(server: Address, body: bytes) -> Answered:
    """The answer; a server that is busy and says until when is asked again then."""
    for _ in range(BUSY_ATTEMPTS):
        answered = await post(server.port, server.predict, body)
        if answered.status != BUSY or answered.retry_seconds is None:
            break
        await asyncio.sleep(answered.retry_seconds)
    return answered
