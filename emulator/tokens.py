"""Who is asking: tokens issued at `/token`, self-signed JWTs, and bearers nobody can verify."""

from __future__ import annotations

import hmac
import json
from collections.abc import Mapping
from dataclasses import dataclass
from hashlib import sha256
from typing import Any

from emulator import json_web_tokens as jwt
from emulator import presented
from emulator.accounts import Account, Directory, OneAccount
from emulator.clock import Clock
from emulator.errors import ApiError
from emulator.json_web_tokens import LIFE_SECONDS

OWNER = "owner@localhost"
PREFIX = "ya29.emulator."
# Verified tokens are remembered, so that an RSA check is paid once a token.
REMEMBERED = 256
INVALID = (
    "Request had invalid authentication credentials. Expected OAuth 2 access token, login cookie "
    "or other valid authentication credential. See "
    "https://developers.google.com/identity/sign-in/web/devconsole-project."
)
# As Google answers: github.com/googleapis/google-api-php-client/issues/1501.
LONG_LIVED = (
    "Invalid JWT: Token must be a short-lived token (60 minutes) and in a reasonable timeframe. "
    "Check your iat and exp values in the JWT claim."
)
# Of a grant in another's name, which domain-wide delegation would allow; there is none here.
DELEGATED = (
    "Client is unauthorized to retrieve access tokens using this method, or client not authorized "
    "for any of the scopes requested."
)
GOOGLE_TOKEN_URI = "https://oauth2.googleapis.com/token"
JWT_GRANT = "urn:ietf:params:oauth:grant-type:jwt-bearer"


@dataclass(frozen=True)
class Caller:
    """An e-mail address and whether it has the owner's rights."""

    email: str
    owner: bool


# Who shows no credentials where they are asked for: https://cloud.google.com/storage/docs/
# access-control/iam#allusers. Cloud Storage's refusals begin with these words.
ANONYMOUS = Caller("Anonymous caller", owner=False)


class RefusedError(Exception):
    """An OAuth refusal: `error` is the code of RFC 6749, section 5.2."""

    def __init__(self, error: str, description: str) -> None:
        super().__init__(description)
        self.error = error
        self.description = description


@dataclass(frozen=True)
class Verified:
    """What a token says, and the key that signed it (None: the server did)."""

    claims: Mapping[str, Any]
    key_id: str | None


class Tokens:
    """Issues and verifies the tokens of the server's own accounts."""

    def __init__(
        self,
        account: Account,
        clock: Clock,
        base_url: str,
        require_auth: bool = False,
        directory: Directory | None = None,
    ) -> None:
        numbers = account.private_key.private_numbers()
        self._account = account
        self._directory = directory or OneAccount(account)
        self._clock = clock
        self._base_url = base_url
        self._require_auth = require_auth
        self._secret = sha256(f"access tokens {numbers.d}".encode()).digest()
        self._verified: dict[str, Verified] = {}

    def exchange(self, form: dict[str, str]) -> dict[str, Any]:
        """The answer of `POST /token` to a JWT bearer grant. RefusedError for any other request."""
        if form.get("grant_type") == "refresh_token":  # nobody signs in here: none was issued
            raise RefusedError("invalid_grant", "Token has been expired or revoked.")
        if form.get("grant_type") != JWT_GRANT:
            raise RefusedError(
                "unsupported_grant_type", f"Invalid grant_type: {form.get('grant_type')}"
            )
        found = self._signed(form.get("assertion", ""))
        if found is None:
            self._check_usable(form.get("assertion", ""))
            raise RefusedError("invalid_grant", "Invalid JWT Signature.")
        claims = found.claims
        if claims.get("aud") not in (f"{self._base_url}/token", GOOGLE_TOKEN_URI):
            raise RefusedError("invalid_grant", f"Invalid JWT: aud is not {self._base_url}/token.")
        if self._expired(claims) or not jwt.is_short_lived(claims):
            raise RefusedError("invalid_grant", LONG_LIVED)
        if not jwt.is_own(claims):
            raise RefusedError("unauthorized_client", DELEGATED)
        if "target_audience" in claims:
            audience = str(claims["target_audience"])
            return {"id_token": self._id_token(str(claims["iss"]), audience)}
        return {
            "access_token": self.issue(str(claims["iss"])),
            "expires_in": LIFE_SECONDS - 1,
            "token_type": "Bearer",
        }

    def _check_usable(self, assertion: str) -> None:
        """Raises RefusedError for an account of this server that cannot sign in at all."""
        for email in jwt.claimed_emails(assertion)[:1]:
            if self._directory.knows(email) and not self._directory.allows(email, None):
                raise RefusedError(
                    "invalid_grant", f"Invalid grant: the account {email} is disabled or deleted."
                )

    def caller(self, authorization: str | None) -> Caller:
        """Who sends this Authorization header. UNAUTHENTICATED where it is not good enough."""
        if not authorization or not authorization.strip():
            return self._unverified("", OWNER)
        scheme, token = presented.scheme_and_token(authorization)
        if scheme in presented.SIGNATURES:
            raise _unauthenticated(presented.UNREAD)
        if scheme not in presented.BEARERS or not token:
            return self._unknown(authorization, OWNER)
        found = self._verified.get(token) or self._verify(token)
        if found is None:
            return self._unknown(token, next(iter(jwt.claimed_emails(token)), OWNER))
        email = str(found.claims["iss"])
        if self._expired(found.claims):
            self._verified.pop(token, None)
            raise _unauthenticated("The access token has expired. Ask for a new one.")
        if not self._directory.allows(email, found.key_id):
            raise _unauthenticated(INVALID)
        return Caller(email, owner=False)

    def _unknown(self, said: str, email: str) -> Caller:
        """Nobody's credentials are the owner's; what names an account here must be good."""
        if any(self._names_ours(word) for word in presented.words(said)):
            raise _unauthenticated(INVALID)
        return self._unverified(said, email)

    def _names_ours(self, word: str) -> bool:
        named = [word, *jwt.claimed_emails(word)]
        return PREFIX in word or any("@" in one and self._directory.knows(one) for one in named)

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

    def _verify(self, token: str) -> Verified | None:
        found = self._issued(token) if token.startswith(PREFIX) else self._jwt(token)
        if found is not None:
            if len(self._verified) >= REMEMBERED:
                self._verified.clear()
            self._verified[token] = found
        return found

    def _jwt(self, token: str) -> Verified | None:
        """A JWT that its account signed as itself, for a service, for an hour at most; or None."""
        found = self._signed(token)
        if found is None or not self._is_service(found.claims.get("aud"), found.claims):
            return None
        if self._expired(found.claims):
            return found
        return found if jwt.is_short_lived(found.claims) and jwt.is_own(found.claims) else None

    def _is_service(self, audience: object, claims: Mapping[str, Any]) -> bool:
        """Whether the audience is a service of Google or this server; scopes need none."""
        if audience is None:
            return "scope" in claims
        host = str(audience).removeprefix("https://").split("/")[0]
        return host.endswith(".googleapis.com") or str(audience).startswith(self._base_url)

    def _signed(self, token: str) -> Verified | None:
        """A JWT that one of the accounts signed, or None."""
        parts = jwt.parts(token)
        if parts is None:
            return None
        signed, head, claims, signature = parts
        key_id = head.get("kid")
        usable = self._directory.keys_of(str(claims.get("iss")), str(key_id) if key_id else None)
        for name, key in usable.items():
            if jwt.is_signed(key, signed, signature):
                return Verified(claims, name)
        return None

    def _expired(self, claims: Mapping[str, Any]) -> bool:
        return not jwt.is_current(claims, self._clock.now().timestamp())

    def issue(self, email: str, life_seconds: int = LIFE_SECONDS) -> str:
        """A new access token of an account."""
        now = int(self._clock.now().timestamp())
        claims = {"iss": email, "iat": now, "exp": now + life_seconds}
        payload = jwt.encode(json.dumps(claims).encode())
        return f"{PREFIX}{payload}.{self._mac(payload)}"

    def _issued(self, token: str) -> Verified | None:
        payload, _, mac = token.removeprefix(PREFIX).partition(".")
        if not hmac.compare_digest(mac.encode(), self._mac(payload).encode()):
            return None
        claims = jwt.decode_json(payload)
        return None if claims is None else Verified(claims, None)

    def _mac(self, payload: str) -> str:
        return jwt.encode(hmac.digest(self._secret, payload.encode(), "sha256"))

    def _id_token(self, email: str, audience: str) -> str:
        from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15
        from cryptography.hazmat.primitives.hashes import SHA256

        now = int(self._clock.now().timestamp())
        head = {"alg": "RS256", "kid": self._account.key_id, "typ": "JWT"}
        claims = {
            "aud": audience,
            "azp": email,
            "email": email,
            "email_verified": True,
            "iss": self._base_url,
            "iat": now,
            "exp": now + LIFE_SECONDS,
        }
        signed = ".".join(jwt.encode(json.dumps(part).encode()) for part in (head, claims))
        signature = self._account.private_key.sign(signed.encode(), PKCS1v15(), SHA256())
        return f"{signed}.{jwt.encode(signature)}"


def _unauthenticated(message: str) -> ApiError:
    return ApiError("UNAUTHENTICATED", message)
