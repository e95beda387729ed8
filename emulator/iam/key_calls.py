"""The methods of `projects.serviceAccounts.keys` in IAM v1."""

from __future__ import annotations

from base64 import b64encode
from typing import Any

from emulator.errors import ApiError
from emulator.iam import keys
from emulator.iam.calls import Call
from emulator.orgpolicy import obeyed

Body = dict[str, Any]

CREDENTIALS_FILE = "TYPE_GOOGLE_CREDENTIALS_FILE"
# RSA 1024 is refused by Google since 2021; PKCS #12 files are read by no library any more.
FORMS = ("", "TYPE_UNSPECIFIED", CREDENTIALS_FILE)
ALGORITHMS = ("", "KEY_ALG_UNSPECIFIED", "KEY_ALG_RSA_2048")


def listed(call: Call) -> Body:
    """`GET …/A/keys`, of the types asked for."""
    account = call.account()
    kinds = call.query.getlist("keyTypes")
    found = [keys.resource(account, key) for key in keys.listed(call.cloud, account, kinds)]
    return {"keys": found} if found else {}


def create(call: Call) -> Body:
    """`POST …/A/keys`: the key file in base64, this once."""
    call.only("privateKeyType", "keyAlgorithm")
    account = call.account()
    form = str(call.body.get("privateKeyType") or "")
    algorithm = str(call.body.get("keyAlgorithm") or "")
    if form not in FORMS or algorithm not in ALGORITHMS:
        message = f"Unsupported key: {form or CREDENTIALS_FILE}, {algorithm or ALGORITHMS[-1]}."
        raise ApiError("INVALID_ARGUMENT", message)
    obeyed.check_key(call.cloud, account.project, account.name, account.email)
    key, text = keys.create(call.cloud, account)
    return {
        **keys.resource(account, key),
        "privateKeyType": CREDENTIALS_FILE,
        "privateKeyData": b64encode(text.encode()).decode(),
    }


def upload(call: Call) -> Body:
    """`POST …/A/keys:upload`: a certificate of a key that stays with the client."""
    call.only("publicKeyData")
    account = call.account()
    obeyed.check_key(call.cloud, account.project, account.name, account.email, uploaded=True)
    return keys.resource(account, keys.upload(call.cloud, account, call.text("publicKeyData")))


def get(call: Call) -> Body:
    """`GET …/A/keys/K`, with the public key if asked for."""
    account = call.account()
    key = keys.require(call.cloud, account, call.names["key"])
    public = keys.public_data(key, call.query.get("publicKeyType", ""))
    return keys.resource(account, key) | public


def delete(call: Call) -> Body:
    """`DELETE …/A/keys/K`."""
    keys.delete(call.cloud, keys.require(call.cloud, call.account(), call.names["key"]))
    return {}


def enable(call: Call) -> Body:
    """`POST …/A/keys/K:enable`."""
    key = keys.require(call.cloud, call.account(), call.names["key"])
    keys.switch(call.cloud, key, disabled=False)
    return {}


def disable(call: Call) -> Body:
    """`POST …/A/keys/K:disable`."""
    call.only("serviceAccountKeyDisableReason", "extendedStatusMessage")
    key = keys.require(call.cloud, call.account(), call.names["key"])
    keys.switch(call.cloud, key, disabled=True)
    return {}
