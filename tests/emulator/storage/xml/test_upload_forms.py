"""Uploads by forms with a signed policy, as Google's client makes them."""

from __future__ import annotations

import json
from base64 import b64encode
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any
from xml.etree.ElementTree import fromstring

import pytest

from emulator.accounts import key_file
from emulator.cloud import Cloud

if TYPE_CHECKING:
    from httpx import Response
    from starlette.testclient import TestClient

    from tests.emulator.storage.conftest import SetClock


@pytest.fixture
def client(signing_http: TestClient, set_clock: SetClock) -> TestClient:
    """The server with an empty bucket `forms`, its time that of Google's signer: the present."""
    set_clock.moment = datetime.now(UTC)
    signing_http.post("/storage/v1/b?project=p", json={"name": "forms"})
    for name in ("x", "dir/my.txt"):
        signing_http.delete(f"/forms/{name}")
    return signing_http


@pytest.fixture
def fields(signing_cloud: Cloud, client: TestClient, set_clock: SetClock) -> Any:
    """Makes the fields of a form whose policy holds for a minute."""
    from google.cloud.storage import Client
    from google.oauth2.service_account import Credentials

    assert client
    account = Credentials.from_service_account_file(  # type: ignore[no-untyped-call]
        key_file(signing_cloud.settings)
    )
    signer = Client(project="p", credentials=account)

    def made(name: str = "x", **options: Any) -> dict[str, str]:
        end = set_clock.moment + timedelta(seconds=60)
        return dict(signer.generate_signed_post_policy_v4("forms", name, end, **options)["fields"])

    return made


def send(
    client: TestClient,
    fields: dict[str, str],
    data: bytes = b"data",
    path: str = "/forms",
    **more: str,
) -> Response:
    """Posts a form with the file last."""
    files = {"file": ("my.txt", data, "text/x")}
    answer: Response = client.post(path, data=fields | more, files=files, follow_redirects=False)
    return answer


def refusal(answer: Response) -> tuple[int, str]:
    """Status and code."""
    return answer.status_code, fromstring(answer.text).findtext("Code") or ""


def test_a_form_makes_an_object(client: TestClient, fields: Any) -> None:
    """The file's bytes, the fields as metadata, and 204."""
    said = fields(
        "dir/my.txt", conditions=[["starts-with", "$x-goog-meta-a", "b"]],
        fields={"content-type": "text/plain", "x-goog-meta-a": "b c", "cache-control": "no-store"},
    )  # fmt: skip

    answer = send(client, said, b"da\r\n--ta" * 40_000)

    assert (answer.status_code, answer.content) == (204, b"")
    read = client.get("/forms/dir/my.txt")
    assert read.content == b"da\r\n--ta" * 40_000
    assert (read.headers["content-type"], read.headers["cache-control"]) == (
        "text/plain", "no-store",
    )  # fmt: skip
    assert read.headers["x-goog-meta-a"] == "b c"
    assert client.get("/storage/v1/b/forms/o").json()["items"][0]["metadata"] == {"a": "b c"}


def test_a_form_of_version_2(client: TestClient, signing_cloud: Cloud, set_clock: SetClock) -> None:
    """The older fields; the file's name is put into the key before the policy is judged."""
    from google.oauth2.service_account import Credentials

    account = Credentials.from_service_account_file(  # type: ignore[no-untyped-call]
        key_file(signing_cloud.settings)
    )
    end = (set_clock.moment + timedelta(seconds=60)).strftime("%Y-%m-%dT%H:%M:%SZ")
    conditions = [["starts-with", "$key", "dir/my"], {"bucket": "forms"}]
    policy = b64encode(json.dumps({"expiration": end, "conditions": conditions}).encode())
    said = {
        "key": "dir/${filename}", "GoogleAccessId": account.service_account_email,
        "policy": policy.decode(), "signature": b64encode(account.sign_bytes(policy)).decode(),
    }  # fmt: skip

    assert send(client, said).status_code == 204
    assert client.get("/forms/dir/my.txt").content == b"data"
    assert refusal(send(client, said | {"key": "other"})) == (400, "InvalidPolicyDocument")


def test_what_success_is_answered(client: TestClient, fields: Any) -> None:
    """201 with a document, 200, or a redirect with bucket, key and entity tag."""
    made = send(client, fields(fields={"success_action_status": "201"}))
    plain = send(client, fields(fields={"success_action_status": "200"}))
    led = send(client, fields(fields={"success_action_redirect": "http://a.example/done?x=1"}))

    assert made.status_code == 201
    assert fromstring(made.text).findtext("Key") == "x"
    assert plain.status_code == 200
    assert led.status_code == 303
    assert led.headers["location"].startswith("http://a.example/done?x=1&bucket=forms&key=x&etag=")


@pytest.mark.parametrize(
    ("change", "details"),
    [({"content-type": "text/css"}, "Policy Condition failed"),
     ({"key": "other"}, "Policy Condition failed"),
     ({"x-goog-meta-more": "1"}, "Policy did not reference these fields: x-goog-meta-more"),
     ({"submit": "Go"}, "Policy did not reference these fields: submit")],
)  # fmt: skip
def test_fields_that_the_policy_does_not_allow(
    client: TestClient, fields: Any, change: dict[str, str], details: str
) -> None:
    """400 InvalidPolicyDocument says which; nothing is stored. x-ignore- fields are."""
    said = fields(fields={"content-type": "text/plain"})

    answer = send(client, said | change)

    assert refusal(answer) == (400, "InvalidPolicyDocument")
    assert details in (fromstring(answer.text).findtext("Details") or "")
    assert client.get("/storage/v1/b/forms/o").json().get("items") is None
    assert send(client, said | {"x-ignore-this": "1"}).status_code == 204


@pytest.mark.parametrize(("size", "status"), [(3, 400), (4, 204), (8, 204), (9, 400)])
def test_the_length_of_the_file(client: TestClient, fields: Any, size: int, status: int) -> None:
    """content-length-range is of the file's bytes, both ends included."""
    said = fields(conditions=[["content-length-range", 4, 8]])

    answer = send(client, said, b"x" * size)

    assert answer.status_code == status
    if status == 400:
        assert refusal(answer)[1] == ("EntityTooSmall" if size < 4 else "EntityTooLarge")
        assert client.get("/forms/x").status_code == 404


def test_signature_and_end(client: TestClient, fields: Any, set_clock: SetClock) -> None:
    """A changed policy or signature is 403, one without a policy is anonymous, an old one 400."""
    said = fields()
    broken = said | {"x-goog-signature": "00" + said["x-goog-signature"][2:]}

    assert refusal(send(client, broken)) == (403, "SignatureDoesNotMatch")
    assert refusal(send(client, said | {"policy": "e30="})) == (403, "SignatureDoesNotMatch")
    assert refusal(send(client, {"key": "x"})) == (403, "AccessDenied")
    set_clock.moment += timedelta(seconds=61)
    assert refusal(send(client, said)) == (400, "InvalidPolicyDocument")


def test_a_page_of_another_origin_may_use_a_signed_form(client: TestClient, fields: Any) -> None:
    """The signature is what lets a web page in; without one it is kept out."""
    origin = {"origin": "http://evil.example"}
    files = {"file": ("a", b"x")}

    assert client.post("/forms", data=fields(), files=files, headers=origin).status_code == 204
    assert client.post("/forms", data={"key": "x"}, files=files, headers=origin).status_code == 403
    assert client.put("/forms/x", content=b"x", headers=origin).status_code == 403


def test_forms_that_are_not_whole(client: TestClient, fields: Any) -> None:
    """No key, no file, no form, no end: 400, and never a failure of the server."""
    said = fields()
    keyless = {name: text for name, text in said.items() if name != "key"}

    assert refusal(send(client, keyless)) == (400, "InvalidArgument")
    assert refusal(client.post("/forms", data=said)) == (400, "InvalidArgument")
    body = b'--b\r\nContent-Disposition: form-data; name="key"\r\n\r\nx\r\n--b--\r\n'
    head = {"content-type": "multipart/form-data; boundary=b"}
    assert refusal(client.post("/forms", content=body, headers=head)) == (400, "InvalidArgument")
    assert refusal(client.post("/forms", content=body[:-8], headers=head))[0] == 400
    assert send(client, said, path="/").status_code == 400
    assert send(client, said, path="/", bucket="forms").status_code == 204
