"""The local service account: its RSA key, and the file that Google's libraries read."""

from __future__ import annotations

import json
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from typing import TYPE_CHECKING, Any

from emulator.cloud import ServerSettings
from emulator.folder import write_whole

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey

ACCOUNT_NAME = "local"
# Google's own service account keys are RSA of this size.
KEY_BITS = 2048


@dataclass(frozen=True)
class Account:
    """A service account that this server knows the private key of."""

    email: str
    key_id: str
    private_key: RSAPrivateKey


def account(settings: ServerSettings) -> Account:
    """The account of the data folder; its key file is made, or brought up to date, here."""
    path = key_file(settings)
    pem = _kept_pem(path) or _new_pem()
    email = f"{ACCOUNT_NAME}@{settings.default_project}.iam.gserviceaccount.com"
    key_id = sha256(pem.encode()).hexdigest()[:40]
    write_whole(path, json.dumps(_key_body(settings, pem, email, key_id), indent=2) + "\n")
    return Account(email, key_id, _load(pem))


def key_file(settings: ServerSettings) -> Path:
    """Where the key file lies."""
    return settings.data_dir / "service-account.json"


def _key_body(settings: ServerSettings, pem: str, email: str, key_id: str) -> dict[str, str]:
    return {
        "type": "service_account",
        "project_id": settings.default_project,
        "private_key_id": key_id,
        "private_key": pem,
        "client_email": email,
        "client_id": str(int(key_id[:16], 16)),
        "auth_uri": f"{settings.base_url}/auth",
        "token_uri": f"{settings.base_url}/token",
        "universe_domain": "googleapis.com",
    }


def _kept_pem(path: Path) -> str | None:
    try:
        body: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
        pem = str(body["private_key"])
        _load(pem)
    except (OSError, ValueError, KeyError):
        return None
    return pem


def _new_pem() -> str:
    from cryptography.hazmat.primitives import serialization
    from cryptography.hazmat.primitives.asymmetric import rsa

    key = rsa.generate_private_key(public_exponent=65537, key_size=KEY_BITS)
    return key.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.NoEncryption(),
    ).decode()


def _load(pem: str) -> RSAPrivateKey:
    from cryptography.hazmat.primitives import serialization
    from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey

    key = serialization.load_pem_private_key(pem.encode(), password=None)
    if not isinstance(key, RSAPrivateKey):
        raise ValueError("The private key of the account is not an RSA key.")
    return key
