"""Keys of service accounts: handed out once, or kept by the server to sign with.

Rows hold certificates only. A private key that the server signs with lies in `keys/ID.pem` of the
data folder, mode 0600; it is made when somebody first asks the account to sign.
"""

from __future__ import annotations

import json
import secrets
import threading
from base64 import b64decode, b64encode
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from emulator.accounts import account as own_account
from emulator.accounts import key_file_body, new_private_key, private_pem
from emulator.cloud import Cloud
from emulator.errors import ApiError
from emulator.folder import write_whole
from emulator.iam import certificates, service_accounts
from emulator.iam.service_accounts import Account

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey, RSAPublicKey

Body = dict[str, Any]

USER, SYSTEM = "USER_MANAGED", "SYSTEM_MANAGED"
# The row stays, so that the key of the data folder's key file can be deleted for good.
DELETED = "DELETED"
GOOGLE, UPLOADED = "GOOGLE_PROVIDED", "USER_PROVIDED"
FOREVER = datetime(9999, 12, 31, 23, 59, 59, tzinfo=UTC)
# docs.cloud.google.com/iam/quotas, as of 2026-05-30: keys for each service account.
MOST = 10
COLUMNS = "id, account, kind, origin, certificate, created, expires, disabled"
_making = threading.Lock()


@dataclass(frozen=True)
class Key:
    """A key as it is stored."""

    id: str
    account: str
    kind: str
    origin: str
    certificate: str
    created: str
    expires: str
    disabled: int


def create(cloud: Cloud, account: Account) -> tuple[Key, str]:
    """A new key of the account and the text of its key file, which is nowhere else."""
    _check_number(cloud, account)
    private = new_private_key()
    key = _insert(cloud, account, private, USER, FOREVER)
    pem = private_pem(private)
    body = key_file_body(
        cloud.settings, account.project, pem, account.email, key.id, account.unique_id
    )
    return key, json.dumps(body, indent=2) + "\n"


def upload(cloud: Cloud, account: Account, data: str) -> Key:
    """A key whose private half the server never sees, from base64 of a certificate in PEM."""
    _check_number(cloud, account)
    try:
        pem, expires = certificates.read(b64decode(data, validate=True))
    except ValueError:
        message = "The public key data is not an X.509 certificate of an RSA key, in base64 of PEM."
        raise ApiError("INVALID_ARGUMENT", message) from None
    return _store(cloud, account, secrets.token_hex(20), USER, UPLOADED, pem, expires)


def listed(cloud: Cloud, account: Account, kinds: list[str]) -> list[Key]:
    """The keys of an account in the order of making; `kinds` none stands for all."""
    _own_key(cloud, account)
    with cloud.store.read() as db:
        rows = db.execute(
            f"SELECT {COLUMNS} FROM service_account_keys WHERE account = ? ORDER BY created, id",
            (account.unique_id,),
        ).fetchall()
    found = [Key(*row) for row in rows]
    return [key for key in found if key.kind in (kinds or (USER, SYSTEM))]


def require(cloud: Cloud, account: Account, key_id: str) -> Key:
    """One key of an account. NOT_FOUND, naming it, when there is none."""
    for key in listed(cloud, account, []):
        if key.id == key_id:
            return key
    raise ApiError("NOT_FOUND", f"Service account key {key_id} does not exist.")


def switch(cloud: Cloud, key: Key, *, disabled: bool) -> None:
    """What the key signs is refused, or taken again."""
    with cloud.store.transaction() as db:
        db.execute(
            "UPDATE service_account_keys SET disabled = ? WHERE id = ?", (int(disabled), key.id)
        )


def delete(cloud: Cloud, key: Key) -> None:
    """The key is gone for ever; FAILED_PRECONDITION for one that the server keeps."""
    if key.kind == SYSTEM:
        raise ApiError("FAILED_PRECONDITION", "System-managed keys cannot be deleted.")
    with cloud.store.transaction() as db:
        db.execute("UPDATE service_account_keys SET kind = ? WHERE id = ?", (DELETED, key.id))


def public_keys(cloud: Cloud, email: str, key_id: str | None = None) -> dict[str, RSAPublicKey]:
    """The public halves of an account's usable keys by id, or of one; none if it cannot sign in."""
    account = service_accounts.find(cloud, email)
    if account is None or not account.is_active:
        return {}
    now = _stamp(cloud.clock.now())
    return {
        key.id: certificates.public_key(key.certificate)
        for key in listed(cloud, account, [])
        if key_id in (None, key.id) and not key.disabled and key.expires > now
    }


def signing_key(cloud: Cloud, account: Account) -> tuple[str, RSAPrivateKey]:
    """Id and private half of the key that the server signs with for the account; made at need."""
    with _making:
        for key in listed(cloud, account, [SYSTEM]):
            path = _path(cloud, key.id)
            if path.exists():
                return key.id, certificates.private_key(path.read_text(encoding="ascii"))
        private = new_private_key()
        key_id = secrets.token_hex(20)
        path = _path(cloud, key_id)
        path.parent.mkdir(mode=0o700, exist_ok=True)
        write_whole(path, private_pem(private))
        _insert(cloud, account, private, SYSTEM, FOREVER, key_id)
        return key_id, private


def system_certificates(cloud: Cloud) -> dict[str, str]:
    """The certificates of all keys that the server signs with, by id."""
    with cloud.store.read() as db:
        query = "SELECT id, certificate FROM service_account_keys WHERE kind = ?"
        return dict(db.execute(query, (SYSTEM,)).fetchall())


def file_text(cloud: Cloud, account: Account) -> str:
    """A key file of the server's own key for an account: how a job signs in as it."""
    key_id, private = signing_key(cloud, account)
    pem = private_pem(private)
    body = key_file_body(
        cloud.settings, account.project, pem, account.email, key_id, account.unique_id
    )
    return json.dumps(body, indent=2) + "\n"


def forget_all(cloud: Cloud) -> None:
    """Removes the private keys of accounts that are no more: after a reset."""
    for path in (cloud.settings.data_dir / "keys").glob(f"{'[0-9a-f]' * 40}.pem"):
        path.unlink(missing_ok=True)


def resource(account: Account, key: Key) -> Body:
    """The key as IAM answers it, without its halves."""
    return {
        "name": f"{account.name}/keys/{key.id}",
        "validAfterTime": key.created,
        "validBeforeTime": key.expires,
        "keyAlgorithm": "KEY_ALG_RSA_2048",
        "keyOrigin": key.origin,
        "keyType": key.kind,
        **({"disabled": True} if key.disabled else {}),
    }


def public_data(key: Key, form: str) -> Body:
    """`publicKeyData` in the form asked for; INVALID_ARGUMENT for one that there is not."""
    if form == "TYPE_X509_PEM_FILE":
        return {"publicKeyData": b64encode(key.certificate.encode()).decode()}
    if form == "TYPE_RAW_PUBLIC_KEY":
        return {"publicKeyData": b64encode(certificates.public_pem(key.certificate)).decode()}
    if form in ("", "TYPE_NONE"):
        return {}
    raise ApiError("INVALID_ARGUMENT", f"Invalid value at 'public_key_type': \"{form}\"")


def _own_key(cloud: Cloud, account: Account) -> None:
    """The key of the data folder's own key file is a key of its account, unless deleted."""
    if account.email != service_accounts.own_email(cloud):
        return
    with cloud.store.read() as db:
        known = db.execute(
            "SELECT 1 FROM service_account_keys WHERE account = ? LIMIT 1", (account.unique_id,)
        ).fetchone()
    if known is None:
        own = own_account(cloud.settings)
        _insert(cloud, account, own.private_key, USER, FOREVER, own.key_id)


def _insert(
    cloud: Cloud,
    account: Account,
    private: RSAPrivateKey,
    kind: str,
    expires: datetime,
    key_id: str = "",
) -> Key:
    certificate = certificates.made(private, account.unique_id, cloud.clock.now(), expires)
    key_id = key_id or secrets.token_hex(20)
    return _store(cloud, account, key_id, kind, GOOGLE, certificate, _stamp(expires))


def _store(
    cloud: Cloud,
    account: Account,
    key_id: str,
    kind: str,
    origin: str,
    certificate: str,
    expires: str,
) -> Key:
    created = _stamp(cloud.clock.now())
    key = Key(key_id, account.unique_id, kind, origin, certificate, created, expires, 0)
    with cloud.store.transaction() as db:
        db.execute(
            f"INSERT OR IGNORE INTO service_account_keys ({COLUMNS}) VALUES (?,?,?,?,?,?,?,0)",
            (key.id, key.account, kind, origin, certificate, created, expires),
        )
    return key


def _check_number(cloud: Cloud, account: Account) -> None:
    if len(listed(cloud, account, [USER])) >= MOST:
        raise ApiError("FAILED_PRECONDITION", "Precondition check failed.")


def _path(cloud: Cloud, key_id: str) -> Path:
    return cloud.settings.data_dir / "keys" / f"{key_id}.pem"


def _stamp(moment: datetime) -> str:
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
