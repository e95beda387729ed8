"""What access controls of buckets and objects grant to a service account."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING
from uuid import uuid4

import httpx
import pytest

if TYPE_CHECKING:
    from tests.emulator.iam.conftest import Owned, Signed

SignIn = Callable[[str], "Signed"]


@pytest.fixture
def path(owned: Owned) -> str:
    """The path of a new bucket with access controls, and an object `o` in it."""
    name = f"bucket-{uuid4().hex[:10]}"
    owned.http.post("/storage/v1/b", params={"project": owned.project}, json={"name": name})
    owned.put(name, "o")
    return f"/storage/v1/b/{name}"


def codes(http: httpx.Client, path: str) -> tuple[int, int, int]:
    """What the account is answered: read the object, list the bucket, write another object."""
    return (
        http.get(f"{path}/o/o?alt=media").status_code,
        http.get(f"{path}/o").status_code,
        http.post(f"/upload{path}/o?uploadType=media&name=mine", content=b"x").status_code,
    )


def test_controls_of_an_object_let_it_be_read(owned: Owned, sign_in: SignIn, path: str) -> None:
    """READER on an object is the right to read that object, until it is taken away."""
    signed = sign_in(owned.account())
    control = {"entity": f"user-{signed.email}", "role": "READER"}

    assert codes(signed.http, path) == (403, 403, 403)
    owned.http.post(f"{path}/o/o/acl", json=control)
    assert codes(signed.http, path) == (200, 403, 403)
    owned.http.delete(f"{path}/o/o/acl/{control['entity']}")
    assert codes(signed.http, path) == (403, 403, 403)


def test_controls_of_a_bucket(owned: Owned, sign_in: SignIn, path: str) -> None:
    """READER on a bucket lists it, WRITER makes objects too, and neither reads them."""
    signed = sign_in(owned.account())
    entity = f"user-{signed.email}"

    owned.http.post(f"{path}/acl", json={"entity": entity, "role": "READER"})
    assert codes(signed.http, path) == (403, 200, 403)
    owned.http.patch(f"{path}/acl/{entity}", json={"role": "WRITER"})
    assert codes(signed.http, path) == (403, 200, 200)


def test_who_makes_an_object_owns_it(owned: Owned, sign_in: SignIn, path: str) -> None:
    """The maker is its owner by address, reads it and changes its controls; others do not."""
    signed, other = sign_in(owned.account()), sign_in(owned.account())
    entity = f"user-{signed.email}"
    owned.http.post(f"{path}/acl", json={"entity": entity, "role": "WRITER"})
    signed.http.post(f"/upload{path}/o?uploadType=media&name=mine", content=b"x")

    made = owned.http.get(f"{path}/o/mine?projection=full").json()
    assert made["owner"]["entity"] == entity
    assert made["acl"][-1] == made["acl"][-1] | {"entity": entity, "role": "OWNER"}
    assert signed.http.get(f"{path}/o/mine/acl").status_code == 200
    assert other.http.get(f"{path}/o/mine").status_code == 403


def test_uniform_access_asks_no_controls(owned: Owned, sign_in: SignIn, path: str) -> None:
    """Once access is uniform, what controls of objects granted is refused."""
    signed = sign_in(owned.account())
    control = {"entity": f"user-{signed.email}", "role": "READER"}
    owned.http.post(f"{path}/o/o/acl", json=control)

    uniform = {"iamConfiguration": {"uniformBucketLevelAccess": {"enabled": True}}}
    owned.http.patch(path, json=uniform)

    assert codes(signed.http, path) == (403, 403, 403)


def test_prevention_silences_the_public(owned: Owned, sign_in: SignIn, path: str) -> None:
    """Controls of the public that were there before stop counting where it is prevented."""
    signed = sign_in(owned.account())
    owned.http.patch(f"{path}/o/o?predefinedAcl=publicRead", json={})
    assert codes(signed.http, path)[0] == 200

    enforced = {"iamConfiguration": {"publicAccessPrevention": "enforced"}}
    owned.http.patch(path, json=enforced)

    assert codes(signed.http, path)[0] == 403
