"""The local service account, the key file that Google's libraries read, and who can sign in."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

from emulator.cloud import ServerSettings
from emulator.folder import read_json, write_whole

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey, RSAPublicKey

ACCOUNT_NAME = "local"
KEY_FILE = "service-account.json"
# Google's own service account keys are RSA of this size.
KEY_BITS = 2048


@dataclass(frozen=True)
class Account:
    """A service account that this server knows the private key of."""

    email: str
    key_id: str
    private_key: RSAPrivateKey


class Directory(Protocol):
    """The accounts that can sign in."""

    def keys_of(self, email: str, key_id: str | None) -> Mapping[str, RSAPublicKey]:
        """The usable public keys of an account by id, or the one asked for."""
        ...

    def allows(self, email: str, key_id: str | None) -> bool:
        """Whether the account, and the key where one is given, are usable now."""
        ...

    def knows(self, email: str) -> bool:
        """Whether the account is one of this server's, usable or not."""
        ...


class OneAccount:
    """The directory of a server with no account beside its own."""

    def __init__(self, account: Account) -> None:
        self._account = account

    def keys_of(self, email: str, key_id: str | None) -> Mapping[str, RSAPublicKey]:
        """Its key."""
        mine = self.knows(email) and key_id in (None, self._account.key_id)
        return {self._account.key_id: self._account.private_key.public_key()} if mine else {}

    def allows(self, email: str, key_id: str | None) -> bool:
        """Always, for the one."""
        return bool(self.keys_of(email, key_id))

    def knows(self, email: str) -> bool:
        """The one."""
        return email == self._account.email


def account(settings: ServerSettings) -> Account:
    """The account of the data folder; its key file is made, or brought up to date, here."""
    path = key_file(settings)
    key = _kept_key(path) or new_private_key()
    pem = private_pem(key)
    email = f"{ACCOUNT_NAME}@{settings.default_project}.iam.gserviceaccount.com"
    key_id = sha256(pem.encode()).hexdigest()[:40]
    client_id = str(int(key_id[:16], 16))
    body = key_file_body(settings, settings.default_project, pem, email, key_id, client_id)
    write_whole(path, json.dumps(body, indent=2) + "\n")
    return Account(email, key_id, key)


def key_file(settings: ServerSettings) -> Path:
    """Where the key file lies."""
    return settings.data_dir / KEY_FILE


def key_file_body(
    settings: ServerSettings, project: str, pem: str, email: str, key_id: str, client_id: str
) -> dict[str, str]:
    """What Google's libraries read: the key, whose it is, and where it signs in, here."""
    url, address = settings.base_url, email.replace("@", "%40")
    return {
        "type": "service_account",
        "project_id": project,
        "private_key_id": key_id,
        "private_key": pem,
        "client_email": email,
        "client_id": client_id,
        "auth_uri": f"{url}/auth",
        "token_uri": f"{url}/token",
        "auth_provider_x509_cert_url": f"{url}/oauth2/v1/certs",
        "client_x509_cert_url": f"{url}/robot/v1/metadata/x509/{address}",
        "universe_domain": "googleapis.com",
    }


def kept_account(folder: Path) -> Account | None:
    """The account of a data folder as its key file has it, or None where there is no such file."""
    path = folder / KEY_FILE
    key = _kept_key(path)
    body = read_json(path)
    if key is None or body is None:
        return None
    return Account(str(body.get("client_email")), str(body.get("private_key_id")), key)


def _kept_key(path: Path) -> RSAPrivateKey | None:
    try:
        body: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
        return load_private_key(str(body["private_key"]))
    except (OSError, ValueError, KeyError):
        return None


def new_private_key() -> RSAPrivateKey:
    """A new RSA key; it takes some 100 ms."""
    from cryptography.hazmat.primitives.asymmetric import rsa

    return rsa.generate_private_key(public_exponent=65537, key_size=KEY_BITS)


def private_pem(key: RSAPrivateKey) -> str:
    """A private key in PEM, unencrypted, as Google's key files have it."""
    from cryptography.hazmat.primitives import serialization

    return key.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.NoEncryption(),
    ).decode()


def load_private_key(pem: str) -> RSAPrivateKey:
    """The RSA key of a PEM text. ValueError when it is none."""
    from cryptography.hazmat.primitives import serialization
    from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey

    key = serialization.load_pem_private_key(pem.encode(), password=None)
    if not isinstance(key, RSAPrivateKey):
        raise ValueError("The private key of the account is not an RSA key.")
    return key
