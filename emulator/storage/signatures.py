"""Signed requests: whether one claims to be signed, and by whom it really is."""

from __future__ import annotations

from datetime import datetime
from hashlib import sha256

from emulator.storage import signatures_v2, signatures_v4
from emulator.storage.http import Call
from emulator.storage.signatures_v4 import PREFIXES
from emulator.storage.signers import Signers
from emulator.storage.xml.errors import XmlError
from emulator.web import Message, Receive

PARAMETERS = frozenset(
    {"googleaccessid", "signature"}
    | {prefix + name for prefix in PREFIXES.values() for name in signatures_v4.PARAMETERS}
)


def is_signed(call: Call) -> bool:
    """Whether a request claims to be signed, in its query or its Authorization header.

    One parameter of a signature is enough, so that a URL that was cut off is no open one.
    """
    scheme = call.headers.get("authorization", "").split(" ")[0]
    return scheme in PREFIXES or any(name.lower() in PARAMETERS for name in call.query)


def check(call: Call, signers: Signers, now: datetime) -> tuple[str, Receive]:
    """The account that signed a request, and its body, read with the signed hash in mind.

    400 or 403 in Google's words unless the signature holds now.
    """
    query = {name.lower(): value for name, value in call.query.items()}
    if "googleaccessid" in query or "signature" in query:
        return signatures_v2.check(call, query, signers, now), call.receive
    scope = signatures_v4.from_header(call) or signatures_v4.from_query(query)
    email = signatures_v4.check(call, scope, signers, now)
    payload = signatures_v4.payload_hash(call, scope)
    return email, _hashed(call.receive, payload) if len(payload) == 64 else call.receive


def _hashed(receive: Receive, wanted: str) -> Receive:
    """A body whose last piece comes only when all of it has the SHA-256 that was signed."""
    digest = sha256()

    async def hashed() -> Message:
        message = await receive()
        digest.update(message.get("body", b""))
        ended = message["type"] == "http.request" and not message.get("more_body", False)
        if ended and digest.hexdigest() != wanted.lower():
            raise XmlError(
                400, "BadDigest", "The x-goog-content-sha256 you specified did not match.",
                f"Provided SHA-256 {wanted}, calculated {digest.hexdigest()}.",
            )  # fmt: skip
        return message

    return hashed
