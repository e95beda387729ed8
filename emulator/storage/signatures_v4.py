"""Signatures of version 4: what of a request is signed, by whom, and for how long.

https://cloud.google.com/storage/docs/authentication/canonical-requests.
"""

from __future__ import annotations

import hmac
import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from urllib.parse import parse_qsl, quote, unquote

from emulator.storage.http import Call
from emulator.storage.signers import (
    Signers,
    Verify,
    check_expiry,
    from_hex,
    malformed,
    mismatch,
    missing,
)
from emulator.storage.xml.errors import XmlError, denied, invalid_argument

RSA = "GOOG4-RSA-SHA256"
PREFIXES = {RSA: "x-goog-", "GOOG4-HMAC-SHA256": "x-goog-", "AWS4-HMAC-SHA256": "x-amz-"}
# What a signed URL says of its signature -> the same as it is written.
PARAMETERS = {
    "algorithm": "Algorithm", "credential": "Credential", "date": "Date", "expires": "Expires",
    "signedheaders": "SignedHeaders", "signature": "Signature",
}  # fmt: skip
UNSIGNED = "UNSIGNED-PAYLOAD"
# SEVEN_DAYS in google-cloud-storage (_signing.py).
LIFE_SECONDS = 7 * 24 * 3600
# No source found for the difference of the clocks; Amazon S3 allows the same.
SKEW = timedelta(minutes=15)
GOOGLE_HOST = "storage.googleapis.com"
STAMP = "%Y%m%dT%H%M%SZ"
CREDENTIAL = re.compile(r"[^/]+/\d{8}/[^/]+/(storage|s3)/(goog4|aws4)_request")
# Headers that change nothing of what is asked for, or prove themselves.
FREE = ("content-sha256", "user-project", "api-client", "encryption-", "gcs-", "resumable")


@dataclass(frozen=True)
class Scope:
    """What a V4 signature says of itself."""

    algorithm: str
    credential: str
    moment: datetime
    life_seconds: int | None
    signed_headers: tuple[str, ...]
    signature: str

    @property
    def signer(self) -> str:
        """The account's address, or the access id of an HMAC key."""
        return self.credential.split("/")[0]

    @property
    def path(self) -> str:
        """Date, location, service and request type."""
        return self.credential.partition("/")[2]


def check(call: Call, scope: Scope, signers: Signers, now: datetime) -> str:
    """Who signed a request. 400 or 403 in Google's words unless the signature holds now."""
    email, verify = verifier(scope, signers)
    _check_time(scope, now)
    _check_headers(call, scope)
    payload = payload_hash(call, scope)
    mark = from_hex(scope.signature)
    tried = [
        canonical_request(call, scope, host, path, payload) for host, path in hosts_and_paths(call)
    ]
    for canonical in tried:
        if verify(string_to_sign(scope, canonical).encode(), mark):
            return email
    raise mismatch({"StringToSign": string_to_sign(scope, tried[0]), "CanonicalRequest": tried[0]})


def payload_hash(call: Call, scope: Scope) -> str:
    """The SHA-256 of the body in hex as the client says it, or that the body is not signed."""
    return call.headers.get(PREFIXES[scope.algorithm] + "content-sha256", UNSIGNED)


def canonical_request(call: Call, scope: Scope, host: str, path: str, payload: str) -> str:
    """The request as it is signed, had it gone to `host` as `path`."""
    headers = {**call.headers, "host": host}
    lines = [f"{name}:{' '.join(headers.get(name, '').split())}" for name in scope.signed_headers]
    names = ";".join(scope.signed_headers)
    return "\n".join(
        [call.method, path, _canonical_query(call.raw_query), *lines, "", names, payload]
    )


def string_to_sign(scope: Scope, canonical: str) -> str:
    """What a V4 signature is of."""
    digest = sha256(canonical.encode("latin-1", "replace")).hexdigest()
    return "\n".join([scope.algorithm, scope.moment.strftime(STAMP), scope.path, digest])


def verifier(scope: Scope, signers: Signers) -> tuple[str, Verify]:
    """Whose signature it must be, and what judges it. 403 for a signer nobody knows."""
    if scope.algorithm == RSA:
        return scope.signer, signers.rsa(scope.signer)
    return signers.hmac(scope.signer, lambda secret: hmac_key(scope, secret))


def hmac_key(scope: Scope, secret: bytes) -> bytes:
    """The signing key that an HMAC key's secret gives for a day, a place and a service."""
    key = (b"AWS4" if scope.algorithm.startswith("AWS4") else b"GOOG4") + secret
    for word in scope.path.split("/"):
        key = hmac.digest(key, word.encode(), "sha256")
    return key


def hosts_and_paths(call: Call) -> list[tuple[str, str]]:
    """Under which host and path a request may have been signed.

    Its own host with and without the port (SDKs differ), and Google's: a client may sign for
    Cloud Storage, by path or by virtual host, and then send the request here.
    """
    own = call.headers.get("host", "")
    bucket, _, rest = call.path.lstrip("/").partition("/")
    plain = quote(unquote(call.path), safe="/~")  # HTTP libraries quote less than signers do
    paths = dict.fromkeys([call.path, plain, *([] if rest else [f"/{bucket}"])])
    hosts = [own, own.rsplit(":", 1)[0], GOOGLE_HOST]
    found = [(host, path) for host in hosts for path in paths]
    return [*found, (f"{bucket}.{GOOGLE_HOST}", f"/{rest}")]


def _check_time(scope: Scope, now: datetime) -> None:
    if scope.moment.strftime("%Y%m%d") != scope.path.split("/")[0]:
        raise malformed("The date of the credential is not that of the request.")
    if scope.life_seconds is None:
        if abs(now - scope.moment) > SKEW:
            message = "The difference between the request time and the server's time is too large."
            raise XmlError(403, "RequestTimeTooSkewed", message)
        return
    if scope.moment > now + SKEW:
        raise denied("Request is not valid yet.")
    check_expiry(scope.moment + timedelta(seconds=scope.life_seconds), now)


def _check_headers(call: Call, scope: Scope) -> None:
    """400 unless the host and every header that changes what is asked for are signed, and sent."""
    prefix = PREFIXES[scope.algorithm]
    free = tuple(prefix + name for name in FREE)
    absent = [name for name in scope.signed_headers if name not in call.headers]
    if absent:
        raise malformed("Header was included in signedheaders, but not in the request.", absent[0])
    loose = [name for name in call.headers if name.startswith(prefix) and not name.startswith(free)]
    unsigned = [name for name in ("host", *loose) if name not in scope.signed_headers]
    if unsigned and (scope.life_seconds is not None or "host" in unsigned):
        raise malformed(
            "Header was included in the request, but not in signedheaders.", unsigned[0]
        )


def from_query(query: Mapping[str, str]) -> Scope:
    """The signature in a query, its names in lower case. 400 for one that is not whole."""
    prefix, shown = "x-goog-", "X-Goog-"
    if any(f"x-amz-{name}" in query for name in PARAMETERS):
        prefix, shown = "x-amz-", "X-Amz-"
    for name, word in PARAMETERS.items():
        if not query.get(prefix + name):
            raise missing(shown + word)
    life = query[f"{prefix}expires"]
    if not life.isascii() or not life.isdigit() or not 1 <= int(life[:9]) <= LIFE_SECONDS:
        raise invalid_argument(
            f"X-Goog-Expires must be a number from 1 to {LIFE_SECONDS} (seven days)."
        )
    return scope_of({name: query[prefix + name] for name in PARAMETERS}, int(life[:9]))


def from_header(call: Call) -> Scope | None:
    """The signature of an Authorization header, or None."""
    algorithm, _, rest = call.headers.get("authorization", "").partition(" ")
    if algorithm not in PREFIXES:
        return None
    values = {
        name.strip().lower(): value.strip()
        for name, _, value in (part.partition("=") for part in rest.split(","))
    }
    date = call.headers.get(PREFIXES[algorithm] + "date", "")
    said = {"algorithm": algorithm, "date": date}
    for name in ("credential", "signedheaders", "signature"):
        if not values.get(name):
            raise missing("Authorization")
        said[name] = values[name]
    return scope_of(said, None)


def scope_of(values: Mapping[str, str], life_seconds: int | None) -> Scope:
    """The scope of six values. 400 for one that is malformed."""
    try:
        moment = datetime.strptime(values["date"], STAMP).replace(tzinfo=UTC)
    except ValueError:
        raise malformed(f"The date is not of the form YYYYMMDDTHHMMSSZ: {values['date']}") from None
    if values["algorithm"] not in PREFIXES:
        raise malformed(f"Invalid algorithm '{values['algorithm']}'.")
    if not CREDENTIAL.fullmatch(values["credential"]):
        raise malformed(f"Invalid credential '{values['credential']}'.")
    names = tuple(name.lower() for name in values.get("signedheaders", "").split(";") if name)
    return Scope(
        values["algorithm"], values["credential"], moment, life_seconds, names, values["signature"]
    )


def _canonical_query(raw: str) -> str:
    pairs = [
        (name, value)
        for name, value in parse_qsl(raw, keep_blank_values=True)
        if name.lower() not in ("x-goog-signature", "x-amz-signature")
    ]
    return "&".join(
        f"{name}={value}" for name, value in sorted((_quoted(n), _quoted(v)) for n, v in pairs)
    )


def _quoted(value: str) -> str:
    return quote(value, safe="-_.~")
