"""Signed URLs, made by Google's own signer and really checked here."""

from __future__ import annotations

import hmac
from base64 import b64encode
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit
from xml.etree.ElementTree import fromstring

import pytest

from emulator.accounts import key_file
from emulator.cloud import Cloud
from emulator.storage.http import Call
from emulator.storage.signatures_v4 import check, from_header
from emulator.storage.signers import Signers
from emulator.storage.xml.errors import XmlError

if TYPE_CHECKING:
    from google.oauth2.service_account import Credentials
    from httpx import Response
    from starlette.testclient import TestClient

    from tests.emulator.storage.conftest import SetClock

STAMP = "20260101T000000Z"
NOW = datetime(2026, 1, 1, tzinfo=UTC)
PATH = "/signed/a%20b%2Bc/%C3%A9~(1).txt"
GOOGLE = "https://storage.googleapis.com"


@pytest.fixture
def client(signing_http: TestClient, set_clock: SetClock) -> TestClient:
    """The server with the bucket `signed` and an object in it."""
    assert set_clock
    signing_http.post("/storage/v1/b?project=p", json={"name": "signed"})
    signing_http.put(PATH, content=b"data")
    return signing_http


@pytest.fixture
def account(signing_cloud: Cloud, client: TestClient) -> Credentials:
    """The data folder's service account."""
    from google.oauth2.service_account import Credentials

    assert client
    made: Credentials = Credentials.from_service_account_file(  # type: ignore[no-untyped-call]
        key_file(signing_cloud.settings)
    )
    return made


def signed(account: Credentials, version: int, path: str = PATH, **options: Any) -> str:
    """A URL that holds for ten seconds from NOW on."""
    from google.cloud.storage import _signing

    if version == 2:
        end = int(NOW.timestamp()) + 10
        made = _signing.generate_signed_url_v2(account, path, end, **options)
    else:
        base = {"api_access_endpoint": GOOGLE, "_request_timestamp": STAMP} | options
        life = base.pop("life", 10)
        made = _signing.generate_signed_url_v4(account, path, life, **base)
    return str(made)


def here(url: str) -> str:
    """Path and query of a URL: what is sent to the local server, whoever it was signed for."""
    parts = urlsplit(url)
    return f"{parts.path}?{parts.query}"


def refusal(answer: Response) -> tuple[int, str]:
    """Status and code."""
    return answer.status_code, fromstring(answer.text).findtext("Code") or ""


both = pytest.mark.parametrize("version", [2, 4])


@both
def test_get_put_head_delete_list(account: Credentials, client: TestClient, version: int) -> None:
    """A signed URL does what it was signed for, and with it nobody needs a token."""
    assert client.get(here(signed(account, version))).content == b"data"
    assert client.head(here(signed(account, version, method="HEAD"))).status_code == 200
    put = here(signed(account, version, "/signed/new", method="PUT"))
    assert client.put(put, content=b"new").status_code == 200
    assert b"<Key>new</Key>" in client.get(here(signed(account, version, "/signed"))).content
    gone = here(signed(account, version, "/signed/new", method="DELETE"))
    assert client.delete(gone).status_code == 204


@both
def test_it_holds_for_what_was_signed_alone(
    account: Credentials, client: TestClient, version: int
) -> None:
    """Another method, object or signature: 403, with what should have been signed."""
    url = here(signed(account, version))

    for answer in (
        client.delete(url),
        client.get(url.replace("a%20b", "other")),
        client.get(url.replace("Signature=", "Signature=00")),
    ):
        assert refusal(answer)[1] in ("SignatureDoesNotMatch", "MalformedSecurityHeader")
    text = fromstring(client.delete(url).text)
    assert (text.findtext("StringToSign") or "").startswith("DELETE" if version == 2 else "GOOG4")
    assert client.get(PATH).content == b"data"


@both
def test_its_end_is_by_the_clock(
    account: Credentials, client: TestClient, set_clock: SetClock, version: int
) -> None:
    """It holds to its last second, then it is 400 ExpiredToken."""
    url = here(signed(account, version))
    set_clock.moment += timedelta(seconds=10)
    assert client.get(url).status_code == 200
    set_clock.moment += timedelta(seconds=1)

    answer = client.get(url)

    assert refusal(answer) == (400, "ExpiredToken")
    assert "Request signature expired at: 2026-01-01T00:00:10+00:00" in answer.text


@both
def test_a_stranger_s_key_is_nobody_s(
    client: TestClient, signing_cloud: Cloud, version: int
) -> None:
    """A URL in the account's name that another key signed, and one of an unknown account."""
    from google.oauth2.service_account import Credentials

    from emulator.accounts import new_private_key, private_pem

    pem, own = private_pem(new_private_key()), signing_cloud.settings.default_project
    for email, wanted in (
        (
            f"local@{own}.iam.gserviceaccount.com",
            "SignatureDoesNotMatch",
        ),
        ("nobody@elsewhere.iam.gserviceaccount.com", "InvalidAccessKeyId"),
    ):
        info = {"client_email": email, "private_key": pem, "token_uri": "http://127.0.0.1/"}
        made: Any = Credentials.from_service_account_info(info)  # type: ignore[no-untyped-call]
        assert refusal(client.get(here(signed(made, version)))) == (403, wanted)


@both
def test_signed_headers(account: Credentials, client: TestClient, version: int) -> None:
    """Content type and extension headers must be sent as they were signed."""
    options: dict[str, Any] = {"method": "PUT", "content_type": "text/plain"}
    url = here(signed(account, version, headers={"x-goog-meta-a": "b  c"}, **options))
    right = {"content-type": "text/plain", "x-goog-meta-a": "b c"}

    assert client.put(url, content=b"x", headers=right).status_code == 200
    for wrong in (
        right | {"content-type": "text/css"},
        right | {"x-goog-meta-a": "d"},
        right | {"x-goog-meta-more": "1"},
        {"content-type": "text/plain"},
    ):
        assert client.put(url, content=b"x", headers=wrong).status_code in (400, 403)


def test_a_resumable_start(account: Credentials, client: TestClient) -> None:
    """POST with x-goog-resumable:start is signed; the session's address then needs no signature."""
    start = here(signed(account, 4, "/signed/long", method="RESUMABLE"))

    begun = client.post(start, headers={"x-goog-resumable": "start"})
    ended = client.put(begun.headers["location"], content=b"long")

    assert (begun.status_code, ended.status_code) == (201, 200)
    assert client.get("/signed/long").content == b"long"


def test_hosts(account: Credentials, client: TestClient, signing_cloud: Cloud) -> None:
    """Signed for Google by path or virtual host, or for this server, with its port or without."""
    own = signing_cloud.settings.base_url

    for options in (
        {},
        {"api_access_endpoint": own},
        {"api_access_endpoint": own, "headers": {"host": "127.0.0.1"}},
    ):
        assert client.get(here(signed(account, 4, **options))).status_code == 200
    virtual = signed(
        account, 4, PATH.removeprefix("/signed"),
        api_access_endpoint="https://signed.storage.googleapis.com",
    )  # fmt: skip
    assert client.get(f"/signed{here(virtual)}").status_code == 200
    elsewhere = signed(account, 4, api_access_endpoint="https://example.com")
    assert refusal(client.get(here(elsewhere))) == (403, "SignatureDoesNotMatch")


def test_query_parameters_are_signed(account: Credentials, client: TestClient) -> None:
    """Overrides and generations are part of a V4 signature, whatever their order on the way."""
    url = here(signed(account, 4, response_disposition="attachment; filename=a b", generation="7"))

    answer = client.get(here(signed(account, 4, response_disposition="attachment; x=a b+c")))

    assert answer.headers["content-disposition"].startswith("attachment; x=a b+c")
    assert refusal(client.get(url)) == (404, "NoSuchKey")
    assert refusal(client.get(url.replace("generation=7", "generation=8"))) == (
        403, "SignatureDoesNotMatch",
    )  # fmt: skip


@pytest.mark.parametrize(
    ("life", "moment", "status"),
    [(604800, STAMP, 200), (604801, STAMP, 400), (0, STAMP, 400), (10, "20260101T010000Z", 403),
     (10, "yesterday", 400)],
)  # fmt: skip
def test_seven_days_at_most(
    account: Credentials, client: TestClient, life: int, moment: str, status: int
) -> None:
    """A V4 URL lasts from one second to seven days, and starts about now."""
    url = here(signed(account, 4, life=604800))
    changed = url.replace("X-Goog-Expires=604800", f"X-Goog-Expires={life}")

    assert client.get(changed.replace(STAMP, moment)).status_code == status


def test_the_payload_s_hash(account: Credentials, client: TestClient) -> None:
    """A signed x-goog-content-sha256 is compared with the body; another body is not stored."""
    headers = {"x-goog-content-sha256": sha256(b"right").hexdigest()}
    url = here(signed(account, 4, "/signed/hashed", method="PUT", headers=dict(headers)))

    assert refusal(client.put(url, content=b"wrong", headers=headers)) == (400, "BadDigest")
    assert client.get("/signed/hashed").status_code == 404
    assert client.put(url, content=b"right", headers=headers).status_code == 200


def test_a_signature_that_is_not_whole(account: Credentials, client: TestClient) -> None:
    """Missing parts and strange credentials are named, none is a failure of the server."""
    url = here(signed(account, 4))

    for name in ("Algorithm", "Credential", "Date", "Expires", "SignedHeaders"):
        answer = client.get(url.replace(f"X-Goog-{name}=", "ignored="))
        assert refusal(answer) == (400, "MissingSecurityHeader"), name
    assert refusal(client.get(url.replace("goog4_request", "x")))[0] == 400
    assert refusal(client.get("/signed/x?GoogleAccessId=a&Signature=b")) == (
        400, "MissingSecurityHeader",
    )  # fmt: skip


def test_an_hmac_key_signs_by_header() -> None:
    """GOOG4-HMAC-SHA256 in an Authorization header, by the key that a secret and a day give."""
    secret, scope = "secret", "20260101/auto/storage/goog4_request"
    canonical = f"GET\n/b/x\n\nhost:h\nx-goog-date:{STAMP}\n\nhost;x-goog-date\nUNSIGNED-PAYLOAD"
    to_sign = f"GOOG4-HMAC-SHA256\n{STAMP}\n{scope}\n{sha256(canonical.encode()).hexdigest()}"
    key = b"GOOG4" + secret.encode()
    for word in scope.split("/"):
        key = hmac.digest(key, word.encode(), "sha256")
    mark = hmac.digest(key, to_sign.encode(), "sha256").hex()
    signers = Signers(lambda _: [], {"GOOG1": ("a@b", secret)}.get)

    def ask(signature: str, now: datetime = NOW) -> str:
        said = f"GOOG4-HMAC-SHA256 Credential=GOOG1/{scope},SignedHeaders=host;x-goog-date"
        headers = {
            "host": "h", "x-goog-date": STAMP, "authorization": f"{said},Signature={signature}",
        }  # fmt: skip
        call = Call("GET", (), {}, headers, _nobody, "/b/x")
        found = from_header(call)
        assert found is not None
        return check(call, found, signers, now)

    assert ask(mark) == "a@b"
    with pytest.raises(XmlError, match="Access denied"):
        ask("00" + mark[2:])
    with pytest.raises(XmlError, match="too large"):
        ask(mark, NOW + timedelta(minutes=16))


async def _nobody() -> Any:
    raise AssertionError


def test_a_key_of_a_customer_is_not_signed_in_v2(account: Credentials, client: TestClient) -> None:
    """Of a customer's key a V2 URL signs the algorithm alone; the object is its proof."""
    key = bytes(32)
    headers = {
        "x-goog-encryption-algorithm": "AES256",
        "x-goog-encryption-key": b64encode(key).decode(),
        "x-goog-encryption-key-sha256": b64encode(sha256(key).digest()).decode(),
    }
    algorithm = {"x-goog-encryption-algorithm": "AES256"}
    client.put("/signed/secret", content=b"secret", headers=headers)
    url = here(signed(account, 2, "/signed/secret", headers=algorithm))

    assert client.get(url, headers=headers).content == b"secret"


@both
def test_a_url_that_was_cut_off_is_no_open_one(
    account: Credentials, client: TestClient, version: int
) -> None:
    """Any one parameter of a signature asks for all of them, alone or as a URL's beginning."""
    url = here(signed(account, version))
    path, _, query = url.partition("?")
    # V2's Expires alone is a parameter that says nothing
    parameters = sorted(query.split("&"), key=lambda one: one.startswith("Expires="))

    for parameter in parameters:
        if not parameter.startswith("Expires="):
            answer = client.get(f"{path}?{parameter}")
            assert refusal(answer) == (400, "MissingSecurityHeader"), parameter
    for end in range(1, len(parameters)):
        answer = client.get(f"{path}?{'&'.join(parameters[:end])}")
        assert refusal(answer) == (400, "MissingSecurityHeader"), end
