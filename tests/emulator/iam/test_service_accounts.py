"""Service accounts as resources, and their keys."""

from __future__ import annotations

import json
from base64 import b64decode, b64encode
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from uuid import uuid4

import httpx
import pytest

from tests.emulator.iam.conftest import Owned, Signed
from tests.local_cloud import LocalCloud


def test_made_read_changed_and_deleted(owned: Owned) -> None:
    """What was sent is answered, by address, by unique id and in the list; then it is gone."""
    path = f"/v1/projects/{owned.project}/serviceAccounts"
    sent = {"accountId": "trainer", "serviceAccount": {"displayName": "T", "description": "d"}}
    made = owned.http.post(path, json=sent).json()

    assert made["email"] == f"trainer@{owned.project}.iam.gserviceaccount.com"
    assert made["name"] == f"projects/{owned.project}/serviceAccounts/{made['email']}"
    assert owned.http.get(f"{path}/{made['uniqueId']}").json() == made
    assert owned.http.get(path).json() == {"accounts": [made]}
    patch = {"serviceAccount": {"displayName": "U"}, "updateMask": "display_name"}
    assert owned.http.patch(f"{path}/{made['email']}", json=patch).json() == {
        "name": made["name"],
        "displayName": "U",
    }
    assert owned.http.get(f"{path}/{made['email']}").json() == made | {"displayName": "U"}
    assert owned.http.delete(f"{path}/{made['email']}").json() == {}
    assert owned.http.get(f"{path}/{made['email']}").status_code == 404


def test_a_deleted_account_is_taken_back(owned: Owned) -> None:
    """By its unique id; where its name is taken meanwhile, 409."""
    path = f"/v1/projects/{owned.project}/serviceAccounts"
    made = owned.http.post(path, json={"accountId": "trainer"}).json()
    owned.http.delete(f"{path}/{made['email']}")

    back = owned.http.post(f"{path}/{made['uniqueId']}:undelete").json()
    owned.http.delete(f"{path}/{made['email']}")
    other = owned.http.post(path, json={"accountId": "trainer"}).json()

    assert back == {"restoredAccount": made}
    assert other["uniqueId"] != made["uniqueId"]
    assert owned.http.post(f"{path}/{made['uniqueId']}:undelete").status_code == 409


@pytest.mark.parametrize(
    ("body", "code"),
    [
        ({"accountId": "short"}, 400),
        ({"accountId": "a" * 31}, 400),
        ({"accountId": "Has-Capitals"}, 400),
        ({"accountId": "trainer", "serviceAccount": {"displayName": "x" * 101}}, 400),
        ({"accountId": "trainer", "account": {}}, 400),
    ],
)
def test_what_google_refuses(owned: Owned, body: dict[str, object], code: int) -> None:
    """Lengths, letters and fields."""
    answer = owned.http.post(f"/v1/projects/{owned.project}/serviceAccounts", json=body)

    assert (answer.status_code, answer.json()["error"]["status"]) == (code, "INVALID_ARGUMENT")


def test_a_name_is_taken_once(owned: Owned) -> None:
    """409 in Google's words."""
    path = f"/v1/projects/{owned.project}/serviceAccounts"
    owned.http.post(path, json={"accountId": "trainer"})

    answer = owned.http.post(path, json={"accountId": "trainer"})

    assert answer.status_code == 409
    assert answer.json()["error"]["message"] == (
        f"Service account trainer already exists within project projects/{owned.project}."
    )


def test_pages(owned: Owned) -> None:
    """Every account once, in the order of addresses."""
    emails = sorted(owned.account(f"many-{number}") for number in range(5))
    path, seen, token = f"/v1/projects/{owned.project}/serviceAccounts", [], ""

    while True:
        page = owned.http.get(path, params={"pageSize": 2, "pageToken": token}).json()
        seen += [one["email"] for one in page["accounts"]]
        token = page.get("nextPageToken", "")
        if not token:
            break

    assert seen == emails


def test_the_data_folder_s_account_is_one(http: httpx.Client, server: LocalCloud) -> None:
    """With the key of its key file."""
    body = json.loads((server.data / "service-account.json").read_text())
    path = f"/v1/projects/{body['project_id']}/serviceAccounts/{body['client_email']}"

    ids = [key["name"].rsplit("/", 1)[1] for key in http.get(f"{path}/keys").json()["keys"]]

    assert http.get(path).json()["email"] == body["client_email"]
    assert body["private_key_id"] in ids


def test_a_disabled_account_and_a_deleted_key_are_refused(
    owned: Owned, sign_in: Callable[[str], Signed]
) -> None:
    """Its tokens are 401 while it is disabled; without its key it gets no new one."""
    account = sign_in(owned.account())
    path = f"/v1/projects/{owned.project}/serviceAccounts/{account.email}"
    question = f"/v1/projects/{owned.project}:testIamPermissions"

    def status() -> int:
        asked = {"permissions": ["resourcemanager.projects.get"]}
        return account.http.post(question, json=asked).status_code

    seen = [status()]
    owned.http.post(f"{path}:disable")
    seen.append(status())
    owned.http.post(f"{path}:enable")
    seen.append(status())
    key = json.loads(account.key_file.read_text())
    owned.http.delete(f"{path}/keys/{key['private_key_id']}")

    assert seen == [200, 401, 200]
    with pytest.raises(Exception, match="invalid_grant"):
        _renew(account)


def _renew(account: Signed) -> None:
    from google.auth.transport.requests import Request

    from tests.emulator.iam.conftest import SCOPES, service_account

    made = service_account.Credentials.from_service_account_file(account.key_file, scopes=SCOPES)
    made.refresh(Request())


def test_self_signed_tokens_of_any_account(owned: Owned, sign_in: Callable[[str], Signed]) -> None:
    """A JWT under an account's key is the account's until the key is disabled."""
    from google.auth import jwt

    account = sign_in(owned.account())
    made = jwt.Credentials.from_service_account_file(  # type: ignore[no-untyped-call]
        account.key_file, audience="https://iam.googleapis.com/"
    )
    made.refresh(None)
    headers = {"authorization": f"Bearer {made.token.decode()}"}
    path = f"/v1/projects/{owned.project}/serviceAccounts"
    key = json.loads(account.key_file.read_text())["private_key_id"]

    before = owned.http.get(path, headers=headers)
    owned.http.post(f"{path}/{account.email}/keys/{key}:disable", json={})
    after = owned.http.get(path, headers=headers)

    assert (before.status_code, after.status_code) == (403, 401)
    assert "iam.serviceAccounts.list" in before.json()["error"]["message"]


def test_keys_are_listed_read_and_at_most_ten(owned: Owned) -> None:
    """A key file is answered once; the public half as a certificate; the eleventh is refused."""
    path = f"/v1/projects/{owned.project}/serviceAccounts/{owned.account()}/keys"
    made = owned.http.post(path, json={}).json()
    data = _certificate()

    uploaded = [owned.http.post(f"{path}:upload", json={"publicKeyData": data}) for _ in range(10)]
    listed = owned.http.get(path).json()["keys"]
    read = owned.http.get(f"/v1/{made['name']}", params={"publicKeyType": "TYPE_X509_PEM_FILE"})

    assert [answer.status_code for answer in uploaded] == [200] * 9 + [400]
    assert len(listed) == 10 and not any("privateKeyData" in key for key in listed)
    assert b64decode(read.json()["publicKeyData"]).startswith(b"-----BEGIN CERTIFICATE-----")
    assert uploaded[0].json()["keyOrigin"] == "USER_PROVIDED"


def _certificate() -> str:
    from emulator.accounts import new_private_key
    from emulator.iam.certificates import made

    now = datetime.now(UTC)
    return b64encode(made(new_private_key(), "me", now, now + timedelta(days=1)).encode()).decode()


def test_private_keys_are_readable_by_their_user_alone(owned: Owned, server: LocalCloud) -> None:
    """The key that the server signs with lies in the data folder, mode 0600."""
    path = f"/v1/projects/-/serviceAccounts/{owned.account()}:signBlob"

    answer = owned.http.post(path, json={"payload": b64encode(b"x").decode()}).json()

    file = server.data / "keys" / f"{answer['keyId']}.pem"
    assert oct(file.stat().st_mode)[-3:] == "600"
    assert oct(file.parent.stat().st_mode)[-3:] == "700"


def test_an_unknown_account(owned: Owned) -> None:
    """404 in the recorded words."""
    email = f"nobody-{uuid4().hex[:6]}@{owned.project}.iam.gserviceaccount.com"

    answer = owned.http.get(f"/v1/projects/{owned.project}/serviceAccounts/{email}")

    assert answer.status_code == 404
    assert answer.json()["error"]["errors"] == [
        {"message": "Unknown service account", "domain": "global", "reason": "notFound"}
    ]


def test_policies_name_accounts_that_are_there(owned: Owned) -> None:
    """A new member must exist if its project does; one that was deleted since may stay."""
    email = owned.account()
    path, role = f"/v1/projects/{owned.project}:setIamPolicy", "roles/viewer"
    member = f"serviceAccount:{email}"
    nobody = f"serviceAccount:nobody@{owned.project}.iam.gserviceaccount.com"

    owned.grant({"role": role, "members": [member]})
    owned.http.delete(f"/v1/projects/{owned.project}/serviceAccounts/{email}").raise_for_status()
    shown = owned.http.post(path.replace("set", "get"), json={}).json()["bindings"][0]["members"]
    owned.grant({"role": role, "members": [*shown, "serviceAccount:a@b.iam.gserviceaccount.com"]})
    binding = {"role": role, "members": [*shown, nobody]}
    refused = owned.http.post(path, json={"policy": {"bindings": [binding]}})

    assert (refused.status_code, refused.json()["error"]["message"]) == (
        400,
        f"Service account {nobody.removeprefix('serviceAccount:')} does not exist.",
    )
