"""JSON web tokens as Google's libraries sign them: read, checked, and what they claim."""

from __future__ import annotations

import binascii
import json
from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey

LIFE_SECONDS = 3600
# google-auth stamps its assertions with its own clock; Google allows the same skew.
SKEW_SECONDS = 300
NAMES = ("email", "iss", "sub", "azp")


def is_current(claims: Mapping[str, Any], now: float) -> bool:
    """Whether `now` (seconds since 1970) lies in the time that a token says it holds."""
    try:
        return float(claims["iat"]) - SKEW_SECONDS <= now < float(claims["exp"])
    except (KeyError, TypeError, ValueError):
        return False


def is_short_lived(claims: Mapping[str, Any]) -> bool:
    """Whether a token that is current lives an hour at most, and was not made long ago.

    https://developers.google.com/identity/protocols/oauth2/service-account: `exp` has "a maximum
    of 1 hour after the issued time"; Ruby's client puts `iat` a minute back, which Google takes.
    """
    return float(claims["exp"]) - float(claims["iat"]) <= LIFE_SECONDS + SKEW_SECONDS


def is_own(claims: Mapping[str, Any]) -> bool:
    """Whether a token speaks for who signed it, and for nobody else."""
    return claims.get("sub") in (None, "", claims.get("iss"))


def is_signed(key: RSAPublicKey, text: str, signature: str) -> bool:
    """Whether the key signed the text (RS256)."""
    from cryptography.exceptions import InvalidSignature
    from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15
    from cryptography.hazmat.primitives.hashes import SHA256

    try:
        key.verify(decode(signature), text.encode(), PKCS1v15(), SHA256())
    except (InvalidSignature, ValueError):
        return False
    return True


def parts(token: str) -> tuple[str, dict[str, Any], dict[str, Any], str] | None:
    """What is signed, its head, its claims, and the signature; None for what is no such token."""
    signed, _, signature = token.rpartition(".")
    head, claims = decode_json(signed.partition(".")[0]), decode_json(signed.partition(".")[2])
    return None if head is None or claims is None else (signed, head, claims, signature)


def claimed_emails(token: str) -> list[str]:
    """The addresses that an unverified token names, the one that it says to be first."""
    pieces = token.split(".")
    claims = decode_json(pieces[1]) if len(pieces) == 3 else None
    return [str(claims[name]) for name in NAMES if claims.get(name)] if claims else []


def encode(data: bytes) -> str:
    """Base64 for addresses, unpadded."""
    return urlsafe_b64encode(data).rstrip(b"=").decode()


def decode(text: str) -> bytes:
    """The bytes of `encode`. ValueError for what is none."""
    return urlsafe_b64decode(text + "=" * (-len(text) % 4))


def decode_json(text: str) -> dict[str, Any] | None:
    """The JSON object in a part of a token, or None."""
    try:
        value = json.loads(decode(text))
    except (ValueError, binascii.Error, RecursionError):
        return None
    return value if isinstance(value, dict) else None
