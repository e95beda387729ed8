"""A request of the XML API, and how it is asked of the JSON API, whose rules both share."""

from __future__ import annotations

import json
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any
from urllib.parse import quote, urlencode

from emulator.cloud import Cloud
from emulator.storage import http_conditions, objects
from emulator.storage.http import Call, Reply, parse_object
from emulator.storage.media_headers import META, row_etag
from emulator.storage.signers import Signers
from emulator.web import Message

Body = dict[str, Any]
Ask = Callable[[Call], Awaitable[Reply]]
# Header of the XML API -> query parameter of the JSON API.
# https://cloud.google.com/storage/docs/xml-api/reference-headers.
CONDITIONS = {
    "x-goog-if-generation-match": "ifGenerationMatch",
    "x-goog-if-metageneration-match": "ifMetagenerationMatch",
    "x-goog-user-project": "userProject",
}
COPY_CONDITIONS = {
    **CONDITIONS,
    "x-goog-copy-source-generation": "sourceGeneration",
    "x-goog-copy-source-if-generation-match": "ifSourceGenerationMatch",
    "x-goog-copy-source-if-metageneration-match": "ifSourceMetagenerationMatch",
}
FIELDS = {
    "content-type": "contentType",
    "content-encoding": "contentEncoding",
    "content-disposition": "contentDisposition",
    "content-language": "contentLanguage",
    "cache-control": "cacheControl",
    "x-goog-custom-time": "customTime",
    "x-goog-storage-class": "storageClass",
}
# https://cloud.google.com/storage/docs/access-control/lists#predefined-acl: the XML's names.
PREDEFINED = {
    "private": "private",
    "bucket-owner-read": "bucketOwnerRead",
    "bucket-owner-full-control": "bucketOwnerFullControl",
    "project-private": "projectPrivate",
    "authenticated-read": "authenticatedRead",
    "public-read": "publicRead",
    "public-read-write": "publicReadWrite",
}


@dataclass(frozen=True)
class XmlRequest:
    """One request: what it is about (`name` "": the bucket, `bucket` "": the service)."""

    cloud: Cloud
    call: Call
    bucket: str
    name: str
    ask: Ask
    signers: Signers

    @property
    def object_path(self) -> str:
        """The object's path in the JSON API."""
        return f"{self.bucket_path}/o/{quote(self.name, safe='')}"

    @property
    def bucket_path(self) -> str:
        """The bucket's path in the JSON API."""
        return f"/storage/v1/b/{quote(self.bucket, safe='')}"

    def header(self, name: str) -> str:
        """A header, or ""."""
        return self.call.headers.get(name, "")

    def query(self, name: str) -> str:
        """A query parameter, or ""."""
        return self.call.query.get(name, "")

    def conditions(self, names: Mapping[str, str] = CONDITIONS) -> dict[str, str]:
        """What the headers demand, as parameters of the JSON API; the generation too."""
        asked = {
            to: self.call.headers[name] for name, to in names.items() if name in self.call.headers
        }
        if "generation" in self.call.query:
            asked["generation"] = self.call.query["generation"]
        return asked

    def write_conditions(self) -> dict[str, str]:
        """As `conditions`; entity tags, judged here, become the generation that they are of."""
        asked = self.conditions()
        with self.cloud.store.read() as db:
            row = objects.find(db, self.bucket, self.name)
        if http_conditions.check_write(self.call.headers, row_etag(row) if row else None):
            asked.setdefault("ifGenerationMatch", str(row.generation) if row else "0")
        return asked

    async def reply(
        self, method: str, path: str, query: Mapping[str, str], fields: Body | None = None
    ) -> Reply:
        """The JSON API's answer to the same request, body and all; its refusals are raised."""
        call = replace(
            self.call, method=method, path=path, query=dict(query), raw_query=urlencode(query),
            headers={k: v for k, v in self.call.headers.items() if not k.startswith("if-")},
            fields=fields,
        )  # fmt: skip
        return await self.ask(call)

    async def json(
        self,
        method: str,
        path: str,
        query: Mapping[str, str] | None = None,
        body: Body | None = None,
    ) -> Body:
        """What the JSON API answers to another body, as an object."""
        data = json.dumps(body).encode() if body is not None else b""

        async def receive() -> Message:
            return {"type": "http.request", "body": data, "more_body": False}

        call = replace(self.call, receive=receive)
        reply = await replace(self, call=call).reply(method, path, query or {})
        return parse_object(reply.body)


def fields_of(headers: Mapping[str, str]) -> Body:
    """What the headers say of an object, as the JSON API's fields."""
    fields: Body = {to: headers[name] for name, to in FIELDS.items() if headers.get(name)}
    meta = {
        name.removeprefix(META): text(value)
        for name, value in headers.items()
        if name.startswith(META) and name != META
    }
    if meta:
        fields["metadata"] = meta
    if headers.get("x-goog-object-lock-mode"):
        mode = headers["x-goog-object-lock-mode"].capitalize()
        until = headers.get("x-goog-object-lock-retain-until-date", "")
        fields["retention"] = {"mode": mode, "retainUntilTime": until}
    return {
        name: text(value) if isinstance(value, str) else value for name, value in fields.items()
    }


def renamed(headers: Mapping[str, str]) -> dict[str, str]:
    """The headers with Amazon's prefix as Google's, as clients of Amazon's API send them.

    https://cloud.google.com/storage/docs/aws-simple-migration.
    """
    return {
        f"x-goog-{name[6:]}" if name.startswith("x-amz-") else name: said
        for name, said in headers.items()
    }


def predefined_acl(headers: Mapping[str, str]) -> dict[str, str]:
    """`x-goog-acl` as a parameter of the JSON API."""
    name = headers.get("x-goog-acl", "")
    return {"predefinedAcl": PREDEFINED.get(name, name)} if name else {}


def text(value: str) -> str:
    """A header's text: clients send UTF-8, servers read it byte by byte."""
    try:
        return value.encode("latin-1").decode("utf-8")
    except UnicodeError:
        return value
