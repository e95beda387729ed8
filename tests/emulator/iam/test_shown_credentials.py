"""An account is itself, or nobody, wherever and however its credentials are shown."""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Callable

import httpx
import pytest

from tests.emulator.iam.conftest import Owned, Signed

BATCH = {"content-type": "multipart/mixed; boundary=z"}
WRONG_KEY = "GOOG4-RSA-SHA256 Credential={email}/20261122/auto/storage/goog4_request,Signature=00"


@pytest.fixture
def nobody(owned: Owned, sign_in: Callable[[str], Signed]) -> Signed:
    """An account that may do nothing."""
    return sign_in(owned.account("nobody"))


def token_of(account: Signed) -> str:
    """Its access token."""
    return str(account.http.headers["authorization"]).removeprefix("Bearer ")


def places(owned: Owned) -> list[str]:
    """Something of three APIs that the owner may read, and an account without a role may not."""
    bucket = owned.bucket()
    owned.put(bucket, "x")
    vertex = f"/v1/projects/{owned.project}/locations/us-central1/datasets"
    return [f"/storage/v1/b/{bucket}?fields=name", vertex, f"/{bucket}/x"]


@pytest.mark.parametrize("name", ["access_token", "oauth_token", "bearer_token", "access%5Ftoken"])
def test_a_token_in_the_query_is_the_account_s(
    http: httpx.Client, owned: Owned, nobody: Signed, name: str
) -> None:
    """Google's system parameters count as the header does: 403 where the account has no right."""
    for path in places(owned):
        mark = "&" if "?" in path else "?"

        answer = http.get(f"{path}{mark}{name}={token_of(nobody)}")

        assert answer.status_code == 403, answer.text
        assert nobody.email in answer.text or "denied on resource" in answer.text


@pytest.mark.parametrize(
    ("said", "status"),
    [
        ("Bearer {token}", 403),
        ("BEARER  {token}", 403),
        ("bearer {token}", 403),
        ("OAuth {token}", 403),
        ("Bearer{token}", 401),
        ("GoogleLogin auth={token}", 401),
        ("Bearer garbage {token}", 401),
        ("Bearer garbage,Bearer {token}", 401),
        ("Basic {basic}", 401),
        ("GOOG1 {email}:AAAA", 401),
        ("AWS GOOG1EABC:AAAA", 401),
        ("Whatever {email}", 401),
        (WRONG_KEY, 401),
    ],
)
def test_every_way_to_name_an_account(
    http: httpx.Client, owned: Owned, nobody: Signed, said: str, status: int
) -> None:
    """It is judged as the account or refused; nothing of it makes the owner."""
    token = token_of(nobody)
    basic = b64encode(f"oauth2accesstoken:{token}".encode()).decode()
    text = said.format(token=token, basic=basic, email=nobody.email)

    for path in places(owned)[:2]:
        answer = http.get(path, headers={"authorization": text})

        assert answer.status_code == status, answer.text


def test_two_sets_of_credentials_are_none(http: httpx.Client, owned: Owned, nobody: Signed) -> None:
    """Two headers, a header and a parameter: 401, whichever comes first."""
    good, bad = f"Bearer {token_of(nobody)}", "Bearer garbage"
    path = places(owned)[0]

    answers = [
        http.get(path, headers=[("authorization", bad), ("authorization", good)]),
        http.get(path, headers=[("authorization", good), ("authorization", bad)]),
        http.get(f"{path}&access_token={token_of(nobody)}", headers={"authorization": bad}),
        http.get(f"{path}&access_token=x&access_token={token_of(nobody)}"),
    ]

    assert [one.status_code for one in answers] == [401] * 4
    assert answers[0].json()["error"]["message"].startswith("A request has one set of credentials")


def test_a_signature_of_a_url_counts_for_the_xml_api_alone(
    http: httpx.Client, owned: Owned, nobody: Signed
) -> None:
    """What nobody would judge there is refused: it does not make the owner."""
    query = {"X-Goog-Credential": f"{nobody.email}/x", "X-Goog-Signature": "00"}

    for path in places(owned)[:2]:
        assert http.get(path, params=query).status_code == 401


def test_each_part_of_a_batch_is_its_own_caller(
    http: httpx.Client, owned: Owned, nobody: Signed
) -> None:
    """Credentials of a part override those of the batch, to the better and to the worse."""
    path = places(owned)[0]
    token = token_of(nobody)
    own = ["", f"Authorization: Bearer {token}", "Authorization: Bearer who-knows",
           f"Authorization: Bearer x\r\nAuthorization: Bearer {token}"]  # fmt: skip
    start = "--z\r\ncontent-type: application/http\r\n\r\n"
    parts = [f"{start}GET {path} HTTP/1.1\r\n{one}\r\n\r\n" for one in own]
    query = f"{start}GET {path}&access_token={token} HTTP/1.1\r\n\r\n"
    body = "".join([*parts, query, "--z--"]).encode()

    def statuses(answer: httpx.Response) -> list[int]:
        lines = answer.text.splitlines()
        return [int(line.split(" ")[1]) for line in lines if line.startswith("HTTP/1.1")]

    bare = http.post("/batch/storage/v1", headers=BATCH, content=body)
    signed = nobody.http.post("/batch/storage/v1", headers=BATCH, content=body)

    assert statuses(bare) == [200, 403, 200, 401, 403]
    assert statuses(signed) == [403, 403, 200, 401, 403]


@pytest.mark.parametrize("folder", ["token", "retry_test"])
def test_a_bucket_that_begins_like_an_open_path_is_a_bucket(
    http: httpx.Client, owned: Owned, nobody: Signed, folder: str
) -> None:
    """`/token` and `/retry_test` ask for no rights; buckets whose names begin so do."""
    bucket = f"{folder}{owned.project}"
    http.put(f"/{bucket}", headers={"x-goog-project-id": owned.project}).raise_for_status()

    assert nobody.http.put(f"/{bucket}/x", content=b"x").status_code == 403
    assert nobody.http.get(f"/{bucket}").status_code == 403
