"""The accounts that can sign in: what `tokens.py` asks at every request."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC
from typing import TYPE_CHECKING

from emulator.cloud import Cloud
from emulator.iam import keys, service_accounts

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey


class Accounts:
    """The service accounts of the store, the data folder's own among them."""

    def __init__(self, cloud: Cloud) -> None:
        self._cloud = cloud

    def keys_of(self, email: str, key_id: str | None) -> Mapping[str, RSAPublicKey]:
        """The usable public keys of an account by id, or the one asked for."""
        return keys.public_keys(self._cloud, email, key_id)

    def allows(self, email: str, key_id: str | None) -> bool:
        """Whether the account, and the key where one is given, are usable now."""
        return self._usable(email, key_id) or self._renewed(email, key_id)

    def knows(self, email: str) -> bool:
        """Whether the account is one of this server's, usable or not."""
        if email == service_accounts.own_email(self._cloud):
            return True
        with self._cloud.store.read() as db:
            query = "SELECT 1 FROM service_accounts WHERE email = ? LIMIT 1"
            return db.execute(query, (email,)).fetchone() is not None

    def _usable(self, email: str, key_id: str | None) -> bool:
        query = (
            "SELECT 1 FROM service_accounts WHERE email = ? AND deleted IS NULL AND disabled = 0"
        )
        values = [email]
        if key_id is not None:
            query += (
                " AND EXISTS (SELECT 1 FROM service_account_keys WHERE id = ? AND disabled = 0"
                " AND kind <> ? AND expires > ? AND account = service_accounts.unique_id)"
            )
            now = self._cloud.clock.now().astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
            values += [key_id, keys.DELETED, now]
        with self._cloud.store.read() as db:
            return db.execute(query, values).fetchone() is not None

    def _renewed(self, email: str, key_id: str | None) -> bool:
        """The data folder's account after a reset: looking makes its rows again."""
        return email == service_accounts.own_email(self._cloud) and bool(
            keys.public_keys(self._cloud, email, key_id)
        )
