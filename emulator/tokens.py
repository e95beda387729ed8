"""Who is asking: tokens issued at `/token`, self-signed JWTs, and bearers nobody can verify."""

from __future__ import annotations

import binascii
import hmac
import json
from base64 import urlsafe_b64decode, urlsafe_b64encode
from dataclasses import dataclass
from hashlib import sha256
from typing import Any

from emulator.accounts import Account
from emulator.clock import Clock
from emulator.errors import ApiError

OWNER = "owner@localhost"
PREFIX = "ya29.emulator."
LIFE_SECONDS = 3600
# google-auth stamps its assertions with its own clock; Google allows the same skew.
SKEW_SECONDS = 300
# Verified tokens are remembered, so that an RSA check is paid once a token.
REMEMBERED = 256
GOOGLE_TOKEN_URI = "https://oauth2.googleapis.com/token"
JWT_GRANT = "urn:ietf:params:oauth:grant-type:jwt-bearer"


@dataclass(frozen=True)
class Caller:
    """An e-mail address and whether it has the owner's rights."""

    email: str
    owner: bool


class RefusedError(Exception):
    """An OAuth refusal: `error` is the code of RFC 6749, section 5.2."""

    def __init__(self, error: str, description: str) -> None:
        super().__init__(description)
        self.error = error
        self.description = description


class Tokens:
    """Issues and verifies the tokens of the server's own accounts."""

    def __init__(
        self, account: Account, clock: Clock, base_url: str, require_auth: bool = False
    ) -> None:
        numbers = account.private_key.private_numbers()
        self._account = account
        self._clock = clock
        self._base_url = base_url
        self._require_auth = require_auth
        self._secret = sha256(f"access tokens {numbers.d}".encode()).digest()
        self._verified: dict[str, dict[str, Any]] = {}

    def exchange(self, form: dict[str, str]) -> dict[str, Any]:
        """The answer of `POST /token` to a JWT bearer grant. RefusedError for any other request."""
        if form.get("grant_type") == "refresh_token":  # nobody signs in here: none was issued
            raise RefusedError("invalid_grant", "Token has been expired or revoked.")
        if form.get("grant_type") != JWT_GRANT:
            raise RefusedError(
                "unsupported_grant_type", f"Invalid grant_type: {form.get('grant_type')}"
            )
        claims = self._signed_claims(form.get("assertion", ""))
        if claims is None:
            raise RefusedError("invalid_grant", "Invalid JWT Signature.")
        if claims.get("aud") not in (f"{self._base_url}/token", GOOGLE_TOKEN_URI):
            raise RefusedError("invalid_grant", f"Invalid JWT: aud is not {self._base_url}/token.")
        if self._expired(claims):
            raise RefusedError("invalid_grant", "Invalid JWT: Token must be a short-lived token.")
        if "target_audience" in claims:
            return {"id_token": self._id_token(str(claims["target_audience"]))}
        return {
            "access_token": self._issue(),
            "expires_in": LIFE_SECONDS - 1,
            "token_type": "Bearer",
        }

    def caller(self, authorization: str | None) -> Caller:
        """Who sends this Authorization header. UNAUTHENTICATED where it is not good enough."""
        if not authorization:
            return self._unverified("", OWNER)
        scheme, _, token = authorization.partition(" ")
        if scheme.lower() != "bearer" or not token:
            return self._unverified(authorization, OWNER)
        claims = self._verified.get(token) or self._verify(token)
        if claims is None:
            return self._unverified(token, _claimed_email(token))
        if self._expired(claims):
            self._verified.pop(token, None)
            raise _unauthenticated("The access token has expired. Ask for a new one.")
        return Caller(str(claims["iss"]), owner=False)

    def _unverified(self, token: str, email: str) -> Caller:
        if self._require_auth:
            raise _unauthenticated(
                "Request had invalid authentication credentials. Expected OAuth 2 access token of "
                "an account of this server (--require-auth)."
                if token
                else "Request is missing required authentication credential. Expected OAuth 2 "
                "access token (the server was started with --require-auth)."
            )
        return Caller(email, owner=True)

    def _verify(self, token: str) -> dict[str, Any] | None:
        claims = self._issued_claims(token) if token.startswith(PREFIX) else self._jwt(token)
        if claims is not None:
            if len(self._verified) >= REMEMBERED:
                self._verified.clear()
            self._verified[token] = claims
        return claims

    def _jwt(self, token: str) -> dict[str, Any] | None:
        claims = self._signed_claims(token)
        if claims is None or not self._is_service(claims.get("aud"), claims):
            return None
        return claims

    def _is_service(self, audience: object, claims: dict[str, Any]) -> bool:
        """Whether the audience is a service of Google or this server; scopes need none."""
        if audience is None:
            return "scope" in claims
        host = str(audience).removeprefix("https://").split("/")[0]
        return host.endswith(".googleapis.com") or str(audience).startswith(self._base_url)

    def _signed_claims(self, token: str) -> dict[str, Any] | None:
        """The claims of a JWT that the account signed, or None."""
        from cryptography.exceptions import InvalidSignature
        from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15
        from cryptography.hazmat.primitives.hashes import SHA256

        signed, _, signature = token.rpartition(".")
        claims = _decode_json(signed.partition(".")[2])
        if claims is None or claims.get("iss") != self._account.email:
            return None
        try:
            self._account.private_key.public_key().verify(
                _decode(signature), signed.encode(), PKCS1v15(), SHA256()
            )
        except (InvalidSignature, ValueError):
            return None
        return claims

    def _expired(self, claims: dict[str, Any]) -> bool:
        now = self._clock.now().timestamp()
        try:
            return not float(claims["iat"]) - SKEW_SECONDS <= now < float(claims["exp"])
        except (KeyError, TypeError, ValueError):
            return True

    def _issue(self) -> str:
        now = int(self._clock.now().timestamp())
        claims = {"iss": self._account.email, "iat": now, "exp": now + LIFE_SECONDS}
        payload = _encode(json.dumps(claims).encode())
        return f"{PREFIX}{payload}.{self._mac(payload)}"

    def _issued_claims(self, token: str) -> dict[str, Any] | None:
        payload, _, mac = token.removeprefix(PREFIX).partition(".")
        if not hmac.compare_digest(mac.encode(), self._mac(payload).encode()):
            return None
        return _decode_json(payload)

    def _mac(self, payload: str) -> str:
        return _encode(hmac.digest(self._secret, payload.encode(), "sha256"))

    def _id_token(self, audience: str) -> str:
        from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15
        from cryptography.hazmat.primitives.hashes import SHA256

        now = int(self._clock.now().timestamp())
        head = {"alg": "RS256", "kid": self._account.key_id, "typ": "JWT"}
        claims = {
            "aud": audience,
            "azp": self._account.email,
            "email": self._account.email,
            "email_verified": True,
            "iss": self._base_url,
            "iat": now,
            "exp": now + LIFE_SECONDS,
        }
        signed = ".".join(_encode(json.dumps(part).encode()) for part in (head, claims))
        signature = self._account.private_key.sign(signed.encode(), PKCS1v15(), SHA256())
        return f"{signed}.{_encode(signature)}"


def _unauthenticated(message: str) -> ApiError:
    return ApiError("UNAUTHENTICATED", message)


def _claimed_email(token: str) -> str:
    """The address that an unverified token says it belongs to, or the owner's."""
    parts = token.split(".")
    claims = _decode_json(parts[1]) if len(parts) == 3 else None
    if claims is None:
        return OWNER
    return str(claims.get("email") or claims.get("iss") or OWNER)


def _encode(data: bytes) -> str:
    return urlsafe_b64encode(data).rstrip(b"=").decode()


def _decode(text: str) -> bytes:
    return urlsafe_b64decode(text + "=" * (-len(text) % 4))


def _decode_json(text: str) -> dict[str, Any] | None:
    try:
        value = json.loads(_decode(text))
    except (ValueError, binascii.Error):
        return None
    return value if isinstance(value, dict) else None
