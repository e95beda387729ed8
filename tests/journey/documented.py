"""Whether a recorded request is one that Google documents, and by what."""

import base64
import json
import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any
from urllib.parse import parse_qsl

from google.cloud.aiplatform.v1.schema.predict.instance_v1.types import (
    ImageClassificationPredictionInstance,
)
from google.cloud.aiplatform.v1.schema.predict.params_v1.types import (
    ImageClassificationPredictionParams,
)
from google.cloud.aiplatform.v1.schema.trainingjob.definition_v1.types import (
    AutoMlImageClassificationInputs,
)
from google.cloud.aiplatform_v1.types import CustomJobSpec
from google.protobuf import json_format

from tests.google_proxy import Exchange
from tests.journey import discovery, sdk_tables

TOKEN_URI = "https://oauth2.googleapis.com/token"
JWT_GRANT = "urn:ietf:params:oauth:grant-type:jwt-bearer"
REGION = re.compile(r"^[a-z]+-[a-z]+[0-9]+(?=-aiplatform\.)")
LOCATION = re.compile(r"/locations/([^/:]+)")
TASKS = {"automl_image_classification": AutoMlImageClassificationInputs, "custom": CustomJobSpec}


@dataclass(frozen=True, order=True)
class Call:
    """A distinct call: where it goes, and the document that has it."""

    host: str
    method: str
    path: str
    name: str
    document: str


class UndocumentedError(Exception):
    """A request that Google does not document, or a header or body that it would refuse."""


def judge(exchange: Exchange, project: str) -> Call:
    """The documented call that a request is; UndocumentedError with what is wrong with it."""
    try:
        if exchange.host == "oauth2.googleapis.com":
            return _token(exchange)
        if exchange.target == "/":
            return _date(exchange)
        assert exchange.headers.get("authorization", "").startswith("Bearer "), "no bearer token"
        if exchange.host != "iamcredentials.googleapis.com":  # asked by google-auth itself
            _check_headers(exchange.headers, project)
        return _discovered(exchange) or _generated(exchange)
    except (json_format.ParseError, ValueError, AssertionError) as wrong:
        line = f"{exchange.command}: {exchange.method} https://{exchange.host}{exchange.target}"
        raise UndocumentedError(f"{line}: {wrong}") from wrong


def _check_headers(headers: dict[str, str], project: str) -> None:
    """Who pays, and what program it is."""
    payer, agent = headers.get("x-goog-user-project"), headers.get("user-agent", "")
    assert payer == project, f"x-goog-user-project is {payer}"
    assert re.match(r"ops/[0-9]", agent), f"user agent {agent!r}"


def _token(exchange: Exchange) -> Call:
    """developers.google.com/identity/protocols/oauth2/service-account, HTTP/REST tab."""
    form = dict(parse_qsl(exchange.body.decode()))
    assert (exchange.method, exchange.target) == ("POST", "/token"), exchange.target
    assert set(form) == {"grant_type", "assertion"} and form["grant_type"] == JWT_GRANT, form
    claims = form["assertion"].split(".")[1]
    said = json.loads(base64.urlsafe_b64decode(claims + "=" * (-len(claims) % 4)))
    assert said["aud"] == TOKEN_URI, said["aud"]
    assert said["exp"] - said["iat"] <= 3600, said
    return Call(exchange.host, "POST", "/token", "token", "OAuth")


def _date(exchange: Exchange) -> Call:
    """RFC 9110, 6.6.1: whatever a server with a clock answers has a Date, which is all of it."""
    said = (exchange.method, exchange.body, exchange.headers.get("authorization"))
    assert said == ("GET", b"", None), said
    return Call(exchange.host, "GET", "/", "Date", "RFC 9110")


def _discovered(exchange: Exchange) -> Call | None:
    """The method of a discovery document, with no parameter and no field that it has not."""
    method = discovery.method_of(exchange.host, exchange.method, exchange.target)
    if method is None:
        return None
    wrong = method.unknown(exchange.target, _json_part(exchange))
    assert not wrong, ", ".join(wrong)
    document = f"discovery, revision {method.revision}"
    return Call(exchange.host, exchange.method, method.path, method.id, document)


def _json_part(exchange: Exchange) -> Any:
    kind = exchange.headers.get("content-type", "")
    if kind.startswith("multipart/related"):
        return discovery.multipart_metadata(exchange.body)
    return json.loads(exchange.body) if exchange.body and "json" in kind else None


def _generated(exchange: Exchange) -> Call:
    """The RPC of the SDK's table, its request parsed strictly by the SDK's own type."""
    rpc = sdk_tables.rpc_of(exchange.host, exchange.method, exchange.target)
    assert rpc is not None, "no method of Google's has this path"
    region = REGION.match(exchange.host)
    location = LOCATION.search(exchange.target)
    assert not region or (location and location[1] == region[0]), "another region's path"
    message = rpc.parsed(exchange.target, exchange.body)
    CHECKS.get(rpc.name, lambda _: None)(message)
    host = REGION.sub("REGION", exchange.host)
    return Call(host, rpc.http, rpc.uri, f"{rpc.service}.{rpc.name}", "SDK")


def _pipeline(message: Any) -> None:
    """The task's inputs, which the API takes as any JSON, in the task's own type."""
    pipeline = message.training_pipeline
    task = pipeline.training_task_definition.rsplit("/", 1)[1].rsplit("_task", 1)[0]
    strict(TASKS[re.sub(r"_[0-9.]+\.yaml$", "", task)], pipeline.training_task_inputs)


def _predict(message: Any) -> None:
    """Instances of AutoML in their own type; a custom model's are its container's affair."""
    for instance in message.instances:
        if "content" in instance.struct_value.fields:
            strict(ImageClassificationPredictionInstance, instance)
            if message.parameters.HasField("struct_value"):
                strict(ImageClassificationPredictionParams, message.parameters)


def strict(kind: Any, value: Any) -> None:
    """json_format.ParseError when a value has a field that its type has not."""
    plain = json_format.MessageToDict(value)
    json_format.ParseDict(plain, kind.pb()(), ignore_unknown_fields=False)


CHECKS: dict[str, Callable[[Any], None]] = {
    "CreateTrainingPipeline": _pipeline,
    "Predict": _predict,
}
