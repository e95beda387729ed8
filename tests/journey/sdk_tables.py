"""The methods of Google's generated clients, by the tables in their own REST transports.

Read from the installed SDK and from nothing of the emulator's: two witnesses.
"""

import inspect
import json
import re
import typing
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from importlib import import_module
from typing import Any
from urllib.parse import parse_qsl, unquote, urlsplit

from google.api_core import path_template
from google.protobuf import json_format

# Package, folder of the service, its name, and the hosts that answer for it.
SERVICES = (
    ("google.cloud.aiplatform_v1", "dataset_service", "DatasetService"),
    ("google.cloud.aiplatform_v1", "pipeline_service", "PipelineService"),
    ("google.cloud.aiplatform_v1", "job_service", "JobService"),
    ("google.cloud.aiplatform_v1", "model_service", "ModelService"),
    ("google.cloud.aiplatform_v1", "endpoint_service", "EndpointService"),
    ("google.cloud.aiplatform_v1", "prediction_service", "PredictionService"),
    ("google.cloud.resourcemanager_v3", "projects", "Projects"),
    ("google.cloud.service_usage_v1", "service_usage", "ServiceUsage"),
    ("google.cloud.billing_v1", "cloud_billing", "CloudBilling"),
    ("google.cloud.cloudquotas_v1", "cloud_quotas", "CloudQuotas"),
)
HOSTS = {
    "google.cloud.aiplatform_v1": re.compile(r"([a-z0-9-]+)-aiplatform\.googleapis\.com"),
    "google.cloud.resourcemanager_v3": re.compile(r"cloudresourcemanager\.googleapis\.com"),
    "google.cloud.service_usage_v1": re.compile(r"serviceusage\.googleapis\.com"),
    "google.cloud.billing_v1": re.compile(r"cloudbilling\.googleapis\.com"),
    "google.cloud.cloudquotas_v1": re.compile(r"cloudquotas\.googleapis\.com"),
}
# cloud.google.com/apis/docs/system-parameters
SYSTEM_PARAMETERS = frozenset({"$alt", "alt", "fields", "key", "prettyPrint", "quotaUser"})
# Every service answers these of google.longrunning.Operations too.
OPERATIONS = ("GetOperation", "ListOperations", "CancelOperation", "DeleteOperation")
VARIABLE = re.compile(r"{([\w.]+)(?:=([^}]*))?}")


@dataclass(frozen=True)
class Rpc:
    """A method's HTTP rule: `uri` is a path template, `body` a field's name, `*` or empty."""

    service: str
    name: str
    host: re.Pattern[str]
    http: str
    uri: str
    body: str
    request: Any

    def variables(self, path: str) -> dict[str, str] | None:
        """The variables of the template in a path; None when the path is another method's."""
        if not path_template.validate(self.uri, path):  # type: ignore[no-untyped-call]
            return None
        found = _pattern(self.uri).fullmatch(path)
        if found is None:  # a verb that the template has not: models/1:deleteVersion
            return None
        names = [name for name, _ in VARIABLE.findall(self.uri)]
        return dict(zip(names, found.groups(), strict=True))

    def parsed(self, target: str, body: bytes) -> Any:
        """The request's message; json_format.ParseError for what it does not have."""
        split = urlsplit(target)
        message = self.request() if hasattr(self.request, "DESCRIPTOR") else self.request.pb()()
        fields: dict[str, Any] = {}
        if body:
            sent = json.loads(body)
            fields = sent if self.body == "*" else {self.body: sent}
        for name, values in _query(split.query).items():
            _place(fields, name, _value(message.DESCRIPTOR, name, values))
        for name, value in (self.variables(unquote(split.path)) or {}).items():
            _place(fields, name, value)
        return json_format.ParseDict(fields, message, ignore_unknown_fields=False)


def rpc_of(host: str, http: str, target: str) -> Rpc | None:
    """The method that a request is for; the rule that the SDK itself takes first, if several."""
    path = unquote(urlsplit(target).path)
    for rpc in table():
        if rpc.http == http and rpc.host.fullmatch(host) and rpc.variables(path) is not None:
            return rpc
    return None


@cache
def table() -> tuple[Rpc, ...]:
    """Every HTTP rule of SERVICES."""
    return tuple(rpc for service in SERVICES for rpc in _rpcs(*service))


def _rpcs(package: str, folder: str, service: str) -> Iterator[Rpc]:
    base = import_module(f"{package}.services.{folder}.transports.rest_base")
    rest = import_module(f"{package}.services.{folder}.transports.rest")
    rules = getattr(base, f"_Base{service}RestTransport")
    stubs = getattr(rest, f"{service}RestTransport")
    for name, rule in inspect.getmembers(rules, inspect.isclass):
        stub = getattr(stubs, name.replace("_Base", "_"), None)
        if not hasattr(rule, "_get_http_options") or stub is None:
            continue
        request = typing.get_type_hints(stub.__call__)["request"]
        for option in rule._get_http_options():
            http, body = option["method"].upper(), option.get("body", "")
            rpc = name.removeprefix("_Base")
            owner = "Operations" if rpc in OPERATIONS else service
            yield Rpc(owner, rpc, HOSTS[package], http, option["uri"], body, request)


@cache
def _pattern(uri: str) -> re.Pattern[str]:
    """A path template as a regular expression with a group for each variable."""
    parts, end = [], 0
    for found in VARIABLE.finditer(uri):
        parts.append(re.escape(uri[end : found.start()]))
        inner = re.escape(found[2] or "*").replace(r"\*\*", ".+").replace(r"\*", "[^/:]+")
        parts.append(f"({inner})")
        end = found.end()
    return re.compile("".join(parts) + re.escape(uri[end:]))


def _query(query: str) -> dict[str, list[str]]:
    found: dict[str, list[str]] = {}
    for name, value in parse_qsl(query, keep_blank_values=True):
        if name.split(";")[0] not in SYSTEM_PARAMETERS:
            found.setdefault(name, []).append(value)
    return found


def _value(descriptor: Any, name: str, values: list[str]) -> Any:
    """The value of a query parameter as protobuf's JSON has it."""
    fields = {one.json_name: one for one in descriptor.fields} | dict(descriptor.fields_by_name)
    field = fields.get(name)
    if field is not None and field.is_repeated:
        return values
    if field is not None and field.type == field.TYPE_BOOL:
        return values[0] == "true"
    return values[0]


def _place(fields: dict[str, Any], name: str, value: Any) -> None:
    *outer, last = name.split(".")
    for word in outer:
        fields = fields.setdefault(word, {})
    fields[last] = value
