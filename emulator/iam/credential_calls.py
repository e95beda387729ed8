"""The methods of IAM Credentials v1, and the signing methods that IAM v1 had before it."""

from __future__ import annotations

from base64 import b64decode, b64encode
from datetime import timedelta
from typing import Any

from emulator.errors import ApiError
from emulator.iam import credentials, enforce, service_accounts, targets
from emulator.iam.calls import Call
from emulator.iam.service_accounts import Account
from emulator.tokens import Caller

Body = dict[str, Any]

# "No bounds", as google.auth._regional_access_boundary_utils reads it.
ANYWHERE = {"locations": [], "encodedLocations": "0x0"}
DELEGATION = "iam.serviceAccounts.implicitDelegation"
NO_ACCOUNT = "Not found; Gaia id not found for email {account}"


def sign_blob(call: Call) -> Body:
    """`POST …/A:signBlob`: `payload` here, `bytesToSign` in IAM v1."""
    call.only("payload", "delegates", "bytesToSign")
    account = _allowed(call, "iam.serviceAccounts.signBlob")
    is_old = "bytesToSign" in call.body
    data = _bytes(call, "bytesToSign" if is_old else "payload")
    key_id, signature = credentials.sign_blob(call.cloud, account, data)
    field = "signature" if is_old else "signedBlob"
    return {"keyId": key_id, field: b64encode(signature).decode()}


def sign_jwt(call: Call) -> Body:
    """`POST …/A:signJwt`: the same in both APIs."""
    call.only("payload", "delegates")
    account = _allowed(call, "iam.serviceAccounts.signJwt")
    key_id, signed = credentials.sign_jwt(call.cloud, account, call.text("payload"))
    return {"keyId": key_id, "signedJwt": signed}


def generate_access_token(call: Call) -> Body:
    """`POST …/A:generateAccessToken`."""
    call.only("delegates", "scope", "lifetime")
    account = _allowed(call, "iam.serviceAccounts.getAccessToken")
    if not call.many("scope"):
        raise ApiError("INVALID_ARGUMENT", "Scope is required.")
    _require_enabled(account)
    seconds = credentials.lifetime(str(call.body.get("lifetime") or ""), account.email)
    end = call.cloud.clock.now() + timedelta(seconds=seconds)
    token = call.tokens.issue(account.email, seconds)
    return {"accessToken": token, "expireTime": end.strftime("%Y-%m-%dT%H:%M:%SZ")}


def generate_id_token(call: Call) -> Body:
    """`POST …/A:generateIdToken`."""
    call.only("delegates", "audience", "includeEmail", "organizationNumberIncluded")
    account = _allowed(call, "iam.serviceAccounts.getOpenIdToken")
    with_email = bool(call.body.get("includeEmail"))
    audience = call.text("audience")
    _require_enabled(account)
    token = credentials.id_token(call.cloud, account, audience, with_email=with_email)
    return {"token": token}


def allowed_locations(_: Call) -> Body:
    """`GET …/A/allowedLocations`: where the account may be used from, which libraries ask."""
    return ANYWHERE


def _allowed(call: Call, permission: str) -> Account:
    """The account, when the caller may do this in its name, through the delegates if any."""
    caller = call.caller
    for delegate in call.many("delegates"):
        link = _account(call, delegate.rsplit("/", 1)[-1])
        enforce.require(call.cloud, caller, DELEGATION, targets.account(call.cloud, link))
        caller = Caller(link.email, owner=False)
    found = service_accounts.find(call.cloud, call.names["account"])
    if found is None and caller.owner:
        raise ApiError("NOT_FOUND", NO_ACCOUNT.format(account=call.names["account"]))
    enforce.require(
        call.cloud,
        caller,
        permission,
        targets.account(call.cloud, found) if found else targets.NOWHERE,
    )
    assert found is not None  # nobody has a right on nothing
    return found


def _account(call: Call, key: str) -> Account:
    found = service_accounts.find(call.cloud, key)
    if found is None:
        raise ApiError("NOT_FOUND", NO_ACCOUNT.format(account=key))
    return found


def _require_enabled(account: Account) -> None:
    if account.disabled:
        message = f"Service account {account.email} is disabled."
        raise ApiError("FAILED_PRECONDITION", message)


def _bytes(call: Call, field: str) -> bytes:
    try:
        return b64decode(call.text(field), validate=True)
    except ValueError:
        message = f"Invalid value at '{field}' (TYPE_BYTES), Base64 decoding failed."
        raise ApiError("INVALID_ARGUMENT", message) from None
