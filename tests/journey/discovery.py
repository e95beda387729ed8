"""Google's discovery documents, cut down to the methods that `ops` may call.

`discovery.json` was made from the wheel of google-api-python-client 2.202.0 (2026-11-21), which
carries them all: `python -m tests.journey.discovery google_api_python_client-*.whl`.
"""

import json
import re
import sys
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, urlsplit

TABLE = Path(__file__).with_name("discovery.json")
WANTED = {
    "storage.v1": re.compile(r"storage\.(buckets|objects)\..*"),
    "logging.v2": re.compile(r"logging\.entries\.(list|write)"),
    "orgpolicy.v2": re.compile(r"orgpolicy\.projects\.policies\.(get|getEffectivePolicy|list)"),
    "artifactregistry.v1": re.compile(
        r"artifactregistry\.projects\.locations\.repositories\.(get|dockerImages\.get|packages\.tags\.get)"
    ),
    "cloudbuild.v1": re.compile(
        r"cloudbuild\.projects\.locations\.builds\.(cancel|create|get|list)"
    ),
    "iamcredentials.v1": re.compile(r"iamcredentials\.projects\.serviceAccounts\..*"),
}
# docs.cloud.google.com/storage/docs/json_api: bytes are read under /download, written under
# /upload; a resumable session is fed by PUT, and has upload_id in its address.
MEDIA = {
    "storage.objects.get": (("GET",), "/download/"),
    "storage.objects.insert": (("POST", "PUT"), "/upload/"),
}
UPLOAD_PARAMETERS = frozenset(("uploadType", "upload_id"))


@dataclass(frozen=True)
class Method:
    """A method of a discovery document: its id, where it is, and what it takes."""

    id: str
    revision: str
    host: str
    http: str
    path: str
    query: frozenset[str]
    body: Any

    def matches(self, host: str, http: str, path: str) -> bool:
        """Whether a request is this method's."""
        words = re.escape(self.path).replace(r"\{", "{").replace(r"\}", "}")
        pattern = re.sub(r"{\w+}", "[^/:]+", words)
        return (host, http) == (self.host, self.http) and bool(re.fullmatch(pattern, path))

    def unknown(self, target: str, body: Any) -> list[str]:
        """The parameters and fields of a request that the method does not have."""
        asked = [name for name, _ in parse_qsl(urlsplit(target).query, keep_blank_values=True)]
        wrong = [f"parameter {name}" for name in asked if name not in self.query]
        return wrong + [f"field {field}" for field in _unknown(self.body, body)]


def method_of(host: str, http: str, target: str) -> Method | None:
    """The method that a request is for."""
    path = urlsplit(target).path
    return next((one for one in methods() if one.matches(host, http, path)), None)


@cache
def methods() -> tuple[Method, ...]:
    """Every method of the table, by media path too."""
    return tuple(_methods(json.loads(TABLE.read_text())))


def _methods(table: dict[str, Any]) -> Iterator[Method]:
    for document in table.values():
        host = urlsplit(document["root"]).netloc
        for id, one in document["methods"].items():
            body = document["schemas"].get(one.get("request"))
            query = frozenset([*document["parameters"], *one["query"]])
            path = f"{document['service']}{one['path']}"
            yield Method(id, document["revision"], host, one["http"], f"/{path}", query, body)
            verbs, root = MEDIA.get(id, ((), ""))
            for http in verbs:
                more, sent = query | UPLOAD_PARAMETERS, None if http == "PUT" else body
                yield Method(id, document["revision"], host, http, root + path, more, sent)


def _unknown(schema: Any, value: Any, path: str = "") -> list[str]:
    """Paths of fields that a schema does not have; a schema that is not a dict takes anything."""
    if isinstance(value, list):
        return [one for item in value for one in _unknown(schema, item, path)]
    if not isinstance(schema, dict) or not isinstance(value, dict):
        return []
    wrong = [f"{path}{key}" for key in value if key not in schema]
    known = ((key, item) for key, item in value.items() if key in schema)
    return wrong + [one for key, item in known for one in _unknown(schema[key], item, f"{key}.")]


def multipart_metadata(body: bytes) -> Any:
    """The JSON part of a multipart upload (RFC 2387)."""
    head = body.split(b"\r\n\r\n", 1)[1]
    return json.loads(head.split(b"\r\n--", 1)[0])


def build(wheel: Path) -> dict[str, Any]:
    """The table, from the documents in the wheel."""
    with zipfile.ZipFile(wheel) as archive:
        found = {}
        for name, wanted in WANTED.items():
            file = f"googleapiclient/discovery_cache/documents/{name}.json"
            found[name] = _cut(json.loads(archive.read(file)), wanted)
    return found


def _cut(document: dict[str, Any], wanted: re.Pattern[str]) -> dict[str, Any]:
    kept = {one["id"]: one for one in _walk(document) if wanted.fullmatch(one["id"])}
    requests = {one["request"]["$ref"] for one in kept.values() if "request" in one}
    return {
        "revision": document["revision"],
        "root": document["rootUrl"],
        "service": document["servicePath"],
        "parameters": sorted(document["parameters"]),
        "methods": {id: _method(one) for id, one in sorted(kept.items())},
        "schemas": {
            name: _shape(document, document["schemas"][name], ()) for name in sorted(requests)
        },
    }


def _walk(resource: dict[str, Any]) -> Iterator[dict[str, Any]]:
    yield from resource.get("methods", {}).values()
    for inner in resource.get("resources", {}).values():
        yield from _walk(inner)


def _method(one: dict[str, Any]) -> dict[str, Any]:
    parameters = one.get("parameters", {}).items()
    query = sorted(name for name, about in parameters if about["location"] == "query")
    request = {"request": one["request"]["$ref"]} if "request" in one else {}
    return {"http": one["httpMethod"], "path": one.get("flatPath", one["path"]), "query": query} | (
        request
    )


def _shape(document: dict[str, Any], schema: dict[str, Any], within: tuple[str, ...]) -> Any:
    """A schema as names within names; `*` is any value."""
    if name := schema.get("$ref"):
        again = name in within
        return "*" if again else _shape(document, document["schemas"][name], (*within, name))
    if schema.get("type") == "array":
        return _shape(document, schema["items"], within)
    if "properties" not in schema:
        return "*"
    fields = schema["properties"].items()
    return {name: _shape(document, one, within) for name, one in fields}


if __name__ == "__main__":
    TABLE.write_text(json.dumps(build(Path(sys.argv[1])), indent=1, sort_keys=True) + "\n")
