"""Who can sign requests, until when a signature holds, and what one that does not is answered."""

from __future__ import annotations

import hmac
from base64 import b64decode
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING

from emulator.storage.xml.errors import XmlError

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey

MISMATCH = (
    "The request signature we calculated does not match the signature you provided. Check your "
    "Google secret key and signing method."
)

Verify = Callable[[bytes, bytes], bool]
Keys = Callable[[str], Iterable["RSAPublicKey"]]
Secrets = Callable[[str], tuple[str, str] | None]


@dataclass(frozen=True)
class Signers:
    """Who can sign: RSA keys by an account's address, HMAC keys (owner, secret) by access id."""

    keys_of: Keys
    secret_of: Secrets = lambda _: None

    def rsa(self, email: str) -> Verify:
        """What judges the RSA signatures of an account. 403 for one that nobody knows."""
        keys = list(self.keys_of(email))
        if not keys:
            raise _unknown(email)
        return lambda text, mark: any(_is_rsa(key, text, mark) for key in keys)

    def hmac(self, access_id: str, derived: Callable[[bytes], bytes]) -> tuple[str, Verify]:
        """Whose an HMAC key is, and what judges its signatures; `derived`: secret -> key."""
        found = self.secret_of(access_id)
        if found is None:
            raise _unknown(access_id)
        email, secret = found
        key = derived(secret.encode())
        return email, lambda text, mark: hmac.compare_digest(hmac.digest(key, text, "sha256"), mark)


def check_expiry(end: datetime, now: datetime) -> None:
    """400 ExpiredToken once a signature has ended."""
    if now > end:
        details = f"Request signature expired at: {end.isoformat(timespec='seconds')}"
        raise XmlError(400, "ExpiredToken", "The provided token has expired.", details)


def mismatch(extra: dict[str, str]) -> XmlError:
    """403 SignatureDoesNotMatch, with what was expected to be signed."""
    return XmlError(403, "SignatureDoesNotMatch", "Access denied.", MISMATCH, extra)


def _unknown(signer: str) -> XmlError:
    message = "The access key Id you provided does not exist in our records."
    return XmlError(403, "InvalidAccessKeyId", message, f"No account or key '{signer}'.")


def malformed(details: str, parameter: str = "") -> XmlError:
    """400 for what of a signature cannot be read."""
    message = "Your request has a malformed header."
    extra = {"ParameterName": parameter} if parameter else {}
    return XmlError(400, "MalformedSecurityHeader", message, details, extra)


def missing(name: str) -> XmlError:
    """400 for what of a signature is not there."""
    message = "Your request was missing a required header."
    return XmlError(400, "MissingSecurityHeader", message, "", {"MissingHeaderName": name})


def from_hex(text: str) -> bytes:
    """A V4 signature. 400 for what is not one."""
    try:
        return bytes.fromhex(text)
    except ValueError:
        raise malformed("Signature was not hex encoded.") from None


def from_base64(text: str) -> bytes:
    """A V2 signature. 400 for what is not one."""
    try:
        return b64decode(text.replace(" ", "+"), validate=True)
    except ValueError:
        raise malformed("Signature was not base64 encoded.") from None


def _is_rsa(key: RSAPublicKey, text: bytes, signature: bytes) -> bool:
    from cryptography.exceptions import InvalidSignature
    from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15
    from cryptography.hazmat.primitives.hashes import SHA256

    try:
        key.verify(signature, text, PKCS1v15(), SHA256())
    except InvalidSignature:
        return False
    return True
