"""The credentials that a request shows, wherever they stand, and what of ours hides in them."""

from __future__ import annotations

import binascii
import re
from base64 import b64decode
from collections.abc import Iterator
from urllib.parse import parse_qsl

from emulator.errors import ApiError
from emulator.web import Scope

# "access_token" and "oauth_token" are parameters of every method in Google's discovery documents;
# "bearer_token" was one of older ones.
PARAMETERS = ("access_token", "oauth_token", "bearer_token")
# cloud.google.com/storage/docs/xml-api/reference-headers#authorization says Bearer; Google's older
# libraries say OAuth.
BEARERS = ("bearer", "oauth")
# Signatures: version 4 is judged where the XML API is asked, version 2 in a header nowhere.
SIGNATURES = frozenset({"goog1", "aws", "goog4-rsa-sha256", "goog4-hmac-sha256",
                        "aws4-hmac-sha256"})  # fmt: skip
SIGNED = ("x-goog-credential", "x-amz-credential", "googleaccessid")
# One of them is in every query with such a name, as anybody writes it.
TOKEN, CREDENTIAL, ACCESS_ID = b"_token=", b"redential=", b"ccess"
WORD = re.compile(r"[\w.~+/=@-]+")

UNREAD = (
    "Signatures are judged at addresses of Cloud Storage's XML API, in version 4 (in version 2 as "
    "signed URLs) alone. Send an OAuth 2 access token: Authorization: Bearer TOKEN."
)
SEVERAL = "A request has one set of credentials. Received: {} of them."


def authorization(scope: Scope, query: bytes) -> str | None:
    """What stands for the Authorization header of a request; None where nothing does.

    `query` is the query with its names readable. UNAUTHENTICATED for credentials in two places,
    and for the signatures that nobody judges here.
    """
    said = [value.decode("latin-1") for key, value in scope["headers"] if key == b"authorization"]
    if query and (TOKEN in query or CREDENTIAL in query or ACCESS_ID in query):
        said += _in_query(scope["query_string"])
    if len(said) > 1:
        raise ApiError("UNAUTHENTICATED", SEVERAL.format(len(said)))
    return said[0] if said else None


def scheme_and_token(said: str) -> tuple[str, str]:
    """The scheme of an Authorization header, in lower case, and what follows it."""
    words = said.split(None, 1)
    return (words[0].lower(), words[1].strip()) if len(words) == 2 else (said.strip().lower(), "")


def words(said: str) -> Iterator[str]:
    """What in an Authorization header might be a token, an address or both; Basic is decoded."""
    yield from WORD.findall(said)
    scheme, token = scheme_and_token(said)
    if scheme == "basic":
        try:
            yield from WORD.findall(b64decode(token).decode("latin-1"))
        except binascii.Error:
            return


def _in_query(query: bytes) -> list[str]:
    """The tokens among the parameters. UNAUTHENTICATED for a signature: nobody would judge it."""
    pairs = parse_qsl(query.decode("latin-1"), keep_blank_values=True)
    if any(name.lower() in SIGNED for name, _ in pairs):
        raise ApiError("UNAUTHENTICATED", UNREAD)
    return [f"Bearer {value}" for name, value in pairs if name in PARAMETERS]
