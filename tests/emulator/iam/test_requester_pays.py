"""Buckets whose requesters pay, asked by service accounts of another project."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

import httpx
import pytest

if TYPE_CHECKING:
    from tests.emulator.iam.conftest import Owned, Signed

VIEWER = "roles/storage.objectViewer"


@pytest.fixture
def signed(owned: Owned, sign_in: Callable[[str], Signed]) -> Signed:
    """An account without a role in its project."""
    return sign_in(owned.account())


@pytest.fixture
def path(owned: Owned, signed: Signed) -> str:
    """The path of an object that the account may read, where requesters pay."""
    bucket = owned.bucket({"role": VIEWER, "members": [signed.member]})
    owned.put(bucket, "o")
    patch = {"billing": {"requesterPays": True}}
    owned.http.patch(f"/storage/v1/b/{bucket}", json=patch).raise_for_status()
    return f"/storage/v1/b/{bucket}/o/o"


def test_somebody_has_to_pay(owned: Owned, signed: Signed, path: str) -> None:
    """Without a project 400 in Google's words, with one that the account may use 200."""
    owned.grant({"role": "roles/serviceusage.serviceUsageConsumer", "members": [signed.member]})

    refused = signed.http.get(path)
    named = signed.http.get(path, params={"userProject": owned.project})
    header = signed.http.get(path, headers={"x-goog-user-project": owned.project})

    assert refused.status_code == 400
    assert refused.json()["error"]["message"] == (
        "Bucket is a requester pays bucket but no user project provided."
    )
    assert (named.status_code, header.status_code) == (200, 200)


def test_nobody_bills_the_project_of_another(owned: Owned, signed: Signed, path: str) -> None:
    """A project that the account may not use is 403, naming the right that it lacks."""
    answer: httpx.Response = signed.http.get(path, params={"userProject": owned.project})

    assert answer.status_code == 403
    assert "serviceusage.services.use" in answer.json()["error"]["message"]


def test_the_project_of_the_bucket_pays_for_its_own(
    owned: Owned, signed: Signed, path: str
) -> None:
    """An owner of the bucket's project need not name one, nor the owner of everything."""
    owned.grant({"role": "roles/owner", "members": [signed.member]})

    assert signed.http.get(path).status_code == 200
    assert owned.http.get(path).status_code == 200
