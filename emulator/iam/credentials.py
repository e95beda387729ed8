"""What can be asked for in an account's name: signatures, access tokens and id tokens.

`sign_blob`, `sign_jwt` and `keys.public_keys` are what signed URLs are made and checked with.
"""

from __future__ import annotations

import json
from base64 import urlsafe_b64encode
from typing import TYPE_CHECKING, Any

from emulator.cloud import Cloud
from emulator.errors import ApiError
from emulator.iam import keys
from emulator.iam.service_accounts import Account

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey

Body = dict[str, Any]

ID_TOKEN_SECONDS = 3600
# iamcredentials' generateAccessToken and signJwt, IAM's reference as of 2026-05-30: both an hour,
# tokens up to 12 only where an organization allows it; a JWT must not last longer than 12 hours.
LIFETIME_SECONDS = 3600
# Recorded: github.com/google-github-actions/auth/issues/145, read 2026-11-21.
TOO_LONG = (
    "Access tokens for service account {email} can not have lifetimes of more than 1 hour. Use the "
    "Org Policy Constraint constraints/iam.allowServiceAccountCredentialLifetimeExtension to allow "
    "up to 12 hours."
)
JWT_MOST_SECONDS = 43_200


def key_of(cloud: Cloud, email: str) -> dict[str, RSAPublicKey]:
    """The public keys, by id, by which a signature of the account may be checked."""
    return keys.public_keys(cloud, email)


def sign_blob(cloud: Cloud, account: Account, data: bytes) -> tuple[str, bytes]:
    """The id of the server's key for the account, and its RSA-SHA256 signature of the bytes.

    FAILED_PRECONDITION where the account is disabled. Making the first key takes some 100 ms.
    """
    from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15
    from cryptography.hazmat.primitives.hashes import SHA256

    if not account.is_active:
        raise ApiError("FAILED_PRECONDITION", f"Service account {account.email} is disabled.")
    key_id, private = keys.signing_key(cloud, account)
    return key_id, private.sign(data, PKCS1v15(), SHA256())


def sign_jwt(cloud: Cloud, account: Account, payload: str) -> tuple[str, str]:
    """The key's id and the signed JWT of a JSON object; `exp` at most 12 hours from now."""
    claims = _claims(payload)
    now = int(cloud.clock.now().timestamp())
    last = now + JWT_MOST_SECONDS
    if "exp" in claims and not _number(claims["exp"], now) <= last:
        message = "The JWT expiration time, 'exp', must be no more than 12 hours in the future."
        raise ApiError("INVALID_ARGUMENT", message)
    claims.setdefault("exp", now + LIFETIME_SECONDS)
    return _signed(cloud, account, claims)


def id_token(cloud: Cloud, account: Account, audience: str, *, with_email: bool) -> str:
    """An OpenID Connect token of the account, an hour long."""
    now = int(cloud.clock.now().timestamp())
    claims: Body = {
        "aud": audience,
        "azp": account.unique_id,
        "sub": account.unique_id,
        "iss": cloud.settings.base_url,
        "iat": now,
        "exp": now + ID_TOKEN_SECONDS,
    }
    if with_email:
        claims |= {"email": account.email, "email_verified": True}
    return _signed(cloud, account, claims)[1]


def lifetime(text: str, email: str) -> int:
    """Seconds of a token's life, from "3600s". INVALID_ARGUMENT outside of what Google allows."""
    number = text.removesuffix("s")
    if not text:
        return LIFETIME_SECONDS
    if not text.endswith("s") or not number.isdigit():
        message = (
            f"Invalid value at 'lifetime' (type.googleapis.com/google.protobuf.Duration): {text}"
        )
        raise ApiError("INVALID_ARGUMENT", message)
    if not 0 < int(number) <= LIFETIME_SECONDS:
        message = TOO_LONG.format(email=email) if int(number) else f"Invalid lifetime: {text}."
        raise ApiError("INVALID_ARGUMENT", message)
    return int(number)


def _claims(payload: str) -> Body:
    try:
        found = json.loads(payload)
    except ValueError:
        found = None
    if not isinstance(found, dict):
        raise ApiError("INVALID_ARGUMENT", "The payload is not a JSON object of JWT claims.")
    return found


def _number(value: object, fallback: int) -> float:
    return value if isinstance(value, int | float) else fallback


def _signed(cloud: Cloud, account: Account, claims: Body) -> tuple[str, str]:
    key_id, _ = keys.signing_key(cloud, account)
    head = {"alg": "RS256", "kid": key_id, "typ": "JWT"}
    text = ".".join(_encoded(json.dumps(part).encode()) for part in (head, claims))
    key_id, signature = sign_blob(cloud, account, text.encode())
    return key_id, f"{text}.{_encoded(signature)}"


def _encoded(data: bytes) -> str:
    return urlsafe_b64encode(data).rstrip(b"=").decode()
