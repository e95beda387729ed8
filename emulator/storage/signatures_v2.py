"""Signatures of version 2: signed URLs whose query names the account, an end and a signature.

https://cloud.google.com/storage/docs/access-control/signed-urls-v2.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import UTC, datetime
from urllib.parse import parse_qsl, quote_plus, unquote

from emulator.storage.http import Call
from emulator.storage.signers import (
    Signers,
    check_expiry,
    from_base64,
    malformed,
    mismatch,
    missing,
)

NAMES = frozenset({"googleaccessid", "expires", "signature"})
# Of a V2 URL only these parameters are signed: the subresources.
SUBRESOURCES = frozenset({
    "acl", "billing", "compose", "cors", "defaultobjectacl", "encryption", "lifecycle", "location",
    "logging", "partnumber", "policy", "requestpayment", "storageclass", "tagging", "torrent",
    "uploadid", "uploads", "versioning", "versions", "website", "websiteconfig",
})  # fmt: skip

# A key is proved by the object that it opens.
UNSIGNED_HEADERS = frozenset({"x-goog-encryption-key", "x-goog-encryption-key-sha256"})


def check(call: Call, query: Mapping[str, str], signers: Signers, now: datetime) -> str:
    """Who signed a request; `query` has lower-case names. 400 or 403 unless it holds now."""
    for name in ("GoogleAccessId", "Signature", "Expires"):
        if not query.get(name.lower()):
            raise missing(name)
    email = query["googleaccessid"]
    if not re.fullmatch(r"[0-9]{1,11}", query["expires"]):
        raise malformed(f"Invalid Expires '{query['expires']}'.")
    verify = signers.rsa(email)
    check_expiry(datetime.fromtimestamp(int(query["expires"]), UTC), now)
    mark = from_base64(query["signature"])
    tried = [string_to_sign(call, query["expires"], resource) for resource in _resources(call)]
    for text in tried:
        if verify(text.encode("latin-1", "replace"), mark):
            return email
    raise mismatch({"StringToSign": tried[0]})


def string_to_sign(call: Call, expires: str, resource: str) -> str:
    """What a V2 signature is of."""
    own = {name for name in call.headers if name.startswith("x-goog-")}
    names = sorted(own - UNSIGNED_HEADERS)
    extension = [f"{name}:{' '.join(call.headers[name].split())}" for name in names]
    md5, kind = (call.headers.get(name, "") for name in ("content-md5", "content-type"))
    return "\n".join([call.method, md5, kind, expires, *extension, resource])


def _resources(call: Call) -> list[str]:
    """The resource as it may have been signed: its subresources in the query, or all of it."""
    pairs = parse_qsl(call.raw_query, keep_blank_values=True)
    own = [(name, value) for name, value in pairs if name.lower() not in NAMES]
    subresources = [
        f"{name}={value}" if value else name
        for name, value in sorted(own)
        if name.lower() in SUBRESOURCES
    ]
    resource = f"{call.path}?{'&'.join(subresources)}" if subresources else call.path
    lowered = sorted((name.lower(), value) for name, value in own)
    # Google's Python client signs every parameter that its caller gives, encoded as a form.
    whole = "&".join(f"{quote_plus(name)}={quote_plus(value)}" for name, value in lowered)
    found = [resource, f"{call.path}?{whole}"]
    return [*found, *(text.replace(call.path, unquote(call.path), 1) for text in found)]
