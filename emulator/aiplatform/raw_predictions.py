"""RawPredict and StreamRawPredict: an endpoint's model by its server's own words."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import TYPE_CHECKING

from starlette.requests import Request
from starlette.responses import Response, StreamingResponse

from emulator.aiplatform import models, predictions, resources, serving
from emulator.aiplatform.prediction_client import client
from emulator.cloud import Cloud
from emulator.errors import ApiError

if TYPE_CHECKING:
    import httpx

Body = predictions.Body
# The headers that the SDK reads the model from (google-cloud-aiplatform 2.7.0, models.py).
DEPLOYED, MODEL, VERSION = (
    "X-Vertex-AI-Deployed-Model-Id",
    "X-Vertex-AI-Model",
    "X-Vertex-AI-Model-Version-Id",
)


async def raw_predict(cloud: Cloud, variables: dict[str, str], request: Request) -> Response:
    """RawPredict: the request's body to the container's route, its answer as it comes."""
    answer = await _sent(cloud, variables["endpoint"], request)
    content = answer.response.content
    kind = answer.response.headers.get("content-type", "application/json")
    return Response(content, answer.response.status_code, answer.headers, kind)


async def stream_raw_predict(cloud: Cloud, variables: dict[str, str], request: Request) -> Response:
    """StreamRawPredict: the same, each part of the answer passed on when it comes."""
    answer = await _sent(cloud, variables["endpoint"], request, is_stream=True)

    async def parts() -> AsyncIterator[bytes]:
        try:
            async for part in answer.response.aiter_bytes():
                yield part
        finally:
            await answer.response.aclose()

    kind = answer.response.headers.get("content-type", "application/json")
    status = answer.response.status_code
    return StreamingResponse(parts(), status, answer.headers, kind)


class _Answer:
    """A container's answer, and which model gave it."""

    def __init__(self, response: httpx.Response, headers: dict[str, str]) -> None:
        self.response, self.headers = response, headers


async def _sent(cloud: Cloud, name: str, request: Request, *, is_stream: bool = False) -> _Answer:
    """FAILED_PRECONDITION when nothing is deployed; UNAVAILABLE while its server starts again."""
    import httpx

    body = await predictions.body_of(request)
    endpoint = resources.require(cloud, "endpoint", name)
    deployed = predictions.chosen(endpoint)
    server = serving.address(cloud, name, deployed["id"])
    model = models.require(cloud, models.deployed_version(deployed))
    headers = {
        DEPLOYED: deployed["id"],
        MODEL: model["name"],
        VERSION: model["versionId"],
    }
    kind = {"content-type": request.headers.get("content-type", "application/json")}
    try:
        if server is None:
            raise httpx.ConnectError("not launched")
        url = f"http://127.0.0.1:{server.port}{server.predict}"
        sent = client().build_request("POST", url, content=body, headers=kind)
        return _Answer(await client().send(sent, stream=is_stream), headers)
    except httpx.TimeoutException:
        raise ApiError("DEADLINE_EXCEEDED", "The prediction took longer than 60 s.") from None
    except httpx.HTTPError:
        raise predictions.unavailable() from None
