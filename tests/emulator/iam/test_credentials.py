"""What is signed in an account's name, and tokens asked for another account."""

from __future__ import annotations

import json
from base64 import b64decode, b64encode
from collections.abc import Callable
from typing import Any

import google.auth.jwt
import httpx
import pytest

from tests.emulator.iam.conftest import Owned, Signed

# Google ships this module without types.
jwt: Any = google.auth.jwt
CREATOR = "roles/iam.serviceAccountTokenCreator"


def path_of(email: str, verb: str) -> str:
    """The method's path, as client libraries write it."""
    return f"/v1/projects/-/serviceAccounts/{email}:{verb}"


def certificate(http: httpx.Client, email: str, key_id: str) -> bytes:
    """The certificate of one of an account's keys."""
    path = f"/v1/projects/-/serviceAccounts/{email}/keys/{key_id}"
    answer = http.get(path, params={"publicKeyType": "TYPE_X509_PEM_FILE"})
    return b64decode(answer.json()["publicKeyData"])


def test_blobs_are_signed_by_the_account_s_key(owned: Owned) -> None:
    """The same key for both of Google's methods, and the signature holds."""
    from cryptography import x509
    from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15
    from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey
    from cryptography.hazmat.primitives.hashes import SHA256

    email, data = owned.account(), b64encode(b"to sign").decode()

    new = owned.http.post(path_of(email, "signBlob"), json={"payload": data}).json()
    old = owned.http.post(path_of(email, "signBlob"), json={"bytesToSign": data}).json()

    found = x509.load_pem_x509_certificate(certificate(owned.http, email, new["keyId"]))
    key = found.public_key()
    assert isinstance(key, RSAPublicKey)
    key.verify(b64decode(new["signedBlob"]), b"to sign", PKCS1v15(), SHA256())
    assert (old["keyId"], old["signature"]) == (new["keyId"], new["signedBlob"])


def test_jwts_are_signed(owned: Owned) -> None:
    """The claims as sent, under a key whose certificate is public; a day is too long."""
    email = owned.account()
    claims = {"sub": "me", "aud": "https://example.org", "iat": 1, "exp": 2}

    made = owned.http.post(path_of(email, "signJwt"), json={"payload": json.dumps(claims)}).json()
    long = json.dumps({"exp": 10**11})
    refused = owned.http.post(path_of(email, "signJwt"), json={"payload": long})

    head = json.loads(b64decode(made["signedJwt"].split(".")[0] + "=="))
    assert jwt.decode(made["signedJwt"], verify=False) == claims
    assert (head["kid"], refused.status_code) == (made["keyId"], 400)


def test_impersonation_needs_a_right_on_the_account(
    owned: Owned, sign_in: Callable[[str], Signed]
) -> None:
    """Refused by name; granted by the account's own policy; the token is the other account's."""
    caller, target = sign_in(owned.account("caller")), owned.account("target")
    wanted = {"scope": ["https://www.googleapis.com/auth/cloud-platform"], "lifetime": "600s"}

    refused = caller.http.post(path_of(target, "generateAccessToken"), json=wanted)
    binding = {"role": CREATOR, "members": [caller.member]}
    policy = {"policy": {"version": 3, "bindings": [binding]}}
    owned.http.post(path_of(target, "setIamPolicy"), json=policy).raise_for_status()
    answer = caller.http.post(path_of(target, "generateAccessToken"), json=wanted)

    assert refused.status_code == 403
    assert refused.json()["error"]["message"] == (
        "Permission 'iam.serviceAccounts.getAccessToken' denied on resource (or it may not exist)."
    )
    assert refused.json()["error"]["details"][0]["reason"] == "IAM_PERMISSION_DENIED"
    as_target = {"authorization": f"Bearer {answer.json()['accessToken']}"}
    owned.grant({"role": "roles/browser", "members": [f"serviceAccount:{target}"]})
    asked = {"permissions": ["resourcemanager.projects.get"]}
    path = f"/v1/projects/{owned.project}:testIamPermissions"
    assert owned.http.post(path, json=asked, headers=as_target).json() == asked
    assert owned.http.post(path, json=asked, headers=caller.http.headers).json() == {}


def test_delegates_form_a_chain(owned: Owned, sign_in: Callable[[str], Signed]) -> None:
    """Each must have the right on the next; without the middle one there is no way."""
    caller = sign_in(owned.account("caller"))
    middle, target = owned.account("middle"), owned.account("target")
    for on, who in ((middle, caller.email), (target, middle)):
        binding = {"role": CREATOR, "members": [f"serviceAccount:{who}"]}
        owned.http.post(path_of(on, "setIamPolicy"), json={"policy": {"bindings": [binding]}})
    wanted = {"scope": ["https://www.googleapis.com/auth/cloud-platform"]}
    chain = wanted | {"delegates": [f"projects/-/serviceAccounts/{middle}"]}

    direct = caller.http.post(path_of(target, "generateAccessToken"), json=wanted)
    through = caller.http.post(path_of(target, "generateAccessToken"), json=chain)

    assert (direct.status_code, through.status_code) == (403, 200)


def test_id_tokens(owned: Owned) -> None:
    """For the audience, with the address where it is asked for; published keys check them."""
    email = owned.account()
    body = {"audience": "https://example.org", "includeEmail": True}

    token = owned.http.post(path_of(email, "generateIdToken"), json=body).json()["token"]

    certificates = owned.http.get("/oauth2/v1/certs").json()
    claims = jwt.decode(token, certs=certificates, audience="https://example.org")
    assert (claims["aud"], claims["email"]) == ("https://example.org", email)
    mine = owned.http.get(f"/robot/v1/metadata/x509/{email}").json()
    assert mine and mine.items() <= certificates.items()


@pytest.mark.parametrize("verb", ["signBlob", "signJwt", "generateAccessToken"])
def test_a_disabled_account_does_nothing(owned: Owned, verb: str) -> None:
    """400 FAILED_PRECONDITION."""
    email = owned.account()
    owned.http.post(path_of(email, "disable"))
    body = {
        "signBlob": {"payload": "eA=="},
        "signJwt": {"payload": "{}"},
        "generateAccessToken": {"scope": ["x"]},
    }[verb]

    answer = owned.http.post(path_of(email, verb), json=body)

    assert (answer.status_code, answer.json()["error"]["status"]) == (400, "FAILED_PRECONDITION")
