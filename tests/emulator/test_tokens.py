"""Who is asking: issued tokens, self-signed JWTs, bearers nobody can verify."""

from __future__ import annotations

import json
import time
from base64 import b64decode
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import google.auth.crypt
import google.auth.jwt
import google.oauth2.service_account
import httpx
import pytest
from google.auth.transport.requests import Request as HttpRequest
from starlette.testclient import TestClient

from emulator.accounts import Account, account
from emulator.clock import SteppedClock
from emulator.cloud import ServerSettings
from emulator.errors import ApiError
from emulator.tokens import JWT_GRANT, OWNER, RefusedError, Tokens
from tests.local_cloud import LocalCloud

# Google ships these modules without types.
jwt: Any = google.auth.jwt
RSASigner: Any = google.auth.crypt.RSASigner
service_account: Any = google.oauth2.service_account

URL = "http://127.0.0.1:8787"
SCOPES = ["https://www.googleapis.com/auth/cloud-platform"]


@pytest.fixture(scope="module")
def key(tmp_path_factory: pytest.TempPathFactory) -> Account:
    """An account with its key file."""
    return account(ServerSettings(data_dir=tmp_path_factory.mktemp("key"), port=8787))


def tokens(key: Account, clock: SteppedClock, require_auth: bool = False) -> Tokens:
    """The rules, at the stepped clock."""
    return Tokens(key, clock, URL, require_auth)


def signed(key: Account, clock: SteppedClock, **claims: object) -> str:
    """A JWT that the account signed at the clock's time."""
    from cryptography.hazmat.primitives import serialization

    pem = key.private_key.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.NoEncryption(),
    )
    now = int(clock.now().timestamp())
    body = {"iss": key.email, "sub": key.email, "iat": now, "exp": now + 3600, **claims}
    made: bytes = jwt.encode(RSASigner.from_string(pem, key.key_id), body)
    return made.decode()


def issued(key: Account, clock: SteppedClock) -> str:
    """An access token in exchange for an assertion."""
    form = {"grant_type": JWT_GRANT, "assertion": signed(key, clock, aud=f"{URL}/token")}
    answer = tokens(key, clock).exchange(form)
    return str(answer["access_token"])


@pytest.fixture
def clock() -> SteppedClock:
    """A clock that stands still."""
    return SteppedClock()


@pytest.mark.parametrize(
    "claims",
    [
        {"aud": "https://aiplatform.googleapis.com/"},
        {"aud": f"{URL}/"},
        {"scope": SCOPES[0]},
    ],
)
def test_self_signed_tokens_are_verified(
    key: Account, clock: SteppedClock, claims: dict[str, object]
) -> None:
    """A JWT for a service of Google or of this server, or for scopes, is the account's."""
    caller = tokens(key, clock, require_auth=True).caller(f"Bearer {signed(key, clock, **claims)}")

    assert (caller.email, caller.owner) == (key.email, False)


def test_issued_tokens_are_verified_after_a_restart(key: Account, clock: SteppedClock) -> None:
    """An access token is good for another instance with the same key, and for an hour."""
    bearer = f"Bearer {issued(key, clock)}"
    fresh = tokens(key, clock, require_auth=True)

    assert fresh.caller(bearer).email == key.email
    clock.advance(3601)
    with pytest.raises(ApiError) as refused:
        fresh.caller(bearer)
    assert refused.value.status == "UNAUTHENTICATED"


@pytest.mark.parametrize(
    "claims",
    [
        {"exp": 4102444800},
        {"iat": 0},
        {"sub": "owner@localhost"},
        {"exp": "Infinity"},
        {"exp": None},
    ],
)
@pytest.mark.parametrize("require_auth", [False, True])
def test_self_signed_tokens_live_an_hour(
    key: Account, clock: SteppedClock, claims: dict[str, object], require_auth: bool
) -> None:
    """A JWT for longer, from long ago, for ever, or in another's name is nobody's: 401."""
    aud = "https://storage.googleapis.com/"
    token = signed(key, clock, aud=aud, **claims)

    with pytest.raises(ApiError) as refused:
        tokens(key, clock, require_auth).caller(f"Bearer {token}")

    assert refused.value.status == "UNAUTHENTICATED"


def test_who_cannot_be_verified_is_the_owner(key: Account, clock: SteppedClock) -> None:
    """No token, a made-up one, a stranger's: the owner, under the address that is claimed."""
    rules = tokens(key, clock)
    claimed = jwt.encode(_stranger(), {"iss": "who@example.org", "email": "me@example.org"})

    assert rules.caller(None) == rules.caller("Bearer anything")
    assert (rules.caller(None).email, rules.caller(None).owner) == (OWNER, True)
    stranger = rules.caller(f"Bearer {claimed.decode()}")
    assert (stranger.email, stranger.owner) == ("me@example.org", True)


def _stranger() -> Any:
    """A signer with a key of its own."""
    from cryptography.hazmat.primitives import serialization
    from cryptography.hazmat.primitives.asymmetric import rsa

    private = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    pem = private.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.NoEncryption(),
    )
    return RSASigner.from_string(pem)


@pytest.mark.parametrize(
    "header", [None, "Bearer anything", "Bearer ya29.emulator.e30.x", "Basic x"]
)
def test_require_auth_refuses_them(key: Account, clock: SteppedClock, header: str | None) -> None:
    """With --require-auth only what can be verified is let in."""
    with pytest.raises(ApiError) as refused:
        tokens(key, clock, require_auth=True).caller(header)

    assert (refused.value.http_code, refused.value.status) == (401, "UNAUTHENTICATED")


def test_a_forged_signature_is_not_the_account(key: Account, clock: SteppedClock) -> None:
    """The account's name under another's signature is refused where it matters."""
    now = int(clock.now().timestamp())
    claims = {
        "iss": key.email,
        "aud": "https://storage.googleapis.com/",
        "iat": now,
        "exp": now + 60,
    }
    forged = jwt.encode(_stranger(), claims).decode()

    with pytest.raises(ApiError):
        tokens(key, clock, require_auth=True).caller(f"Bearer {forged}")
    with pytest.raises(RefusedError):
        tokens(key, clock).exchange({"grant_type": JWT_GRANT, "assertion": forged})


@pytest.mark.parametrize(
    ("form", "code"),
    [
        ({"grant_type": "password"}, "unsupported_grant_type"),
        ({"grant_type": JWT_GRANT}, "invalid_grant"),
        ({"grant_type": JWT_GRANT, "assertion": "a.b.c"}, "invalid_grant"),
    ],
)
def test_grants_that_are_none(
    key: Account, clock: SteppedClock, form: dict[str, str], code: str
) -> None:
    """Another grant, no assertion, nonsense: OAuth's own error codes."""
    with pytest.raises(RefusedError) as refused:
        tokens(key, clock).exchange(form)

    assert refused.value.error == code


def test_an_assertion_for_another_server(key: Account, clock: SteppedClock) -> None:
    """The audience must be this token endpoint, and the time must be now."""
    for claims in ({"aud": "https://example.org/token"}, {"aud": f"{URL}/token", "exp": 1}):
        form = {"grant_type": JWT_GRANT, "assertion": signed(key, clock, **claims)}
        with pytest.raises(RefusedError):
            tokens(key, clock).exchange(form)


def test_a_grant_is_for_an_hour_and_for_oneself(key: Account, clock: SteppedClock) -> None:
    """Assertions for longer, and in the name of somebody else, are refused in Google's words."""
    now, refused = int(clock.now().timestamp()), []
    for claims in ({"exp": now + 999_999}, {"iat": now - 86_400}, {"sub": "who@example.org"}):
        form = {
            "grant_type": JWT_GRANT,
            "assertion": signed(key, clock, aud=f"{URL}/token", **claims),
        }
        with pytest.raises(RefusedError) as refusal:
            tokens(key, clock).exchange(form)
        refused.append((refusal.value.error, refusal.value.description.split(".")[0][:70]))

    short = (
        "invalid_grant",
        "Invalid JWT: Token must be a short-lived token (60 minutes) and in a r",
    )
    unauthorized = (
        "unauthorized_client",
        "Client is unauthorized to retrieve access tokens using this method, or",
    )
    assert refused == [short, short, unauthorized]


def credentials(data: Path, **claims: object) -> Any:
    """Google's credentials from the server's key file."""
    return service_account.Credentials.from_service_account_file(
        data / "service-account.json", **claims
    )


def test_googles_credentials_work_unchanged(start: Callable[..., LocalCloud]) -> None:
    """From the key file: a token by exchange, and clients of both kinds, under --require-auth."""
    from google.cloud import resourcemanager_v3
    from google.cloud.storage import Client

    cloud = start("--require-auth")
    exchanged = credentials(cloud.data, scopes=SCOPES)
    exchanged.refresh(HttpRequest())
    client = Client(
        project="p-1",
        credentials=credentials(cloud.data),
        client_options={"api_endpoint": cloud.url},
    )
    projects = resourcemanager_v3.ProjectsClient(
        credentials=credentials(cloud.data),
        transport="rest",
        client_options={"api_endpoint": cloud.url},
    )

    client.create_bucket("signed").blob("x").upload_from_string("x")
    got = projects.get_project(name="projects/p-1")

    assert exchanged.expiry > datetime.fromtimestamp(time.time(), UTC).replace(tzinfo=None)
    assert (got.project_id, got.name.startswith("projects/")) == ("p-1", True)
    bare = httpx.get(f"{cloud.url}/storage/v1/b?project=p-1")
    assert bare.status_code == 401
    assert bare.json()["error"]["errors"][0]["reason"] == "required"


def test_id_tokens(start: Callable[..., LocalCloud]) -> None:
    """The token endpoint also gives an id token for an audience."""
    cloud = start()
    made = service_account.IDTokenCredentials.from_service_account_file(
        cloud.data / "service-account.json", target_audience="https://example.org"
    )

    made.refresh(HttpRequest())

    email = json.loads((cloud.data / "service-account.json").read_text())["client_email"]
    assert jwt.decode(made.token, verify=False)["aud"] == "https://example.org"
    assert jwt.decode(made.token, verify=False)["email"] == email


def test_refusals_at_the_token_endpoint(start: Callable[..., LocalCloud]) -> None:
    """A bad grant is 400 in OAuth's form."""
    cloud = start()

    answer = httpx.post(f"{cloud.url}/token", data={"grant_type": JWT_GRANT, "assertion": "x"})

    assert answer.status_code == 400
    assert answer.json() == {
        "error": "invalid_grant",
        "error_description": "Invalid JWT Signature.",
    }


def test_a_disabled_account_is_told_so(local_http: TestClient) -> None:
    """The token endpoint says that the account is disabled, not that its signature is bad."""
    parent = "/v1/projects/p-1/serviceAccounts"
    made = local_http.post(parent, json={"accountId": "reader"}).json()
    name = f"/v1/{made['name']}"
    key = local_http.post(f"{name}/keys").json()["privateKeyData"]
    account = service_account.Credentials.from_service_account_info(
        json.loads(b64decode(key)), scopes=SCOPES
    )
    form = {
        "grant_type": JWT_GRANT,
        "assertion": account._make_authorization_grant_assertion().decode(),
    }
    local_http.post(f"{name}:disable").raise_for_status()

    answer = local_http.post("/token", data=form)

    assert answer.status_code == 400
    assert answer.json() == {
        "error": "invalid_grant",
        "error_description": f"Invalid grant: the account {made['email']} is disabled or deleted.",
    }
