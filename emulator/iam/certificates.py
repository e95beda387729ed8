"""X.509 certificates and PEM: what Google publishes of an account's key."""

from __future__ import annotations

from datetime import UTC, datetime
from functools import lru_cache
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey, RSAPublicKey


def made(private: RSAPrivateKey, subject: str, start: datetime, end: datetime) -> str:
    """A self-signed certificate in PEM, whose common name is the account's unique id."""
    from cryptography import x509
    from cryptography.hazmat.primitives.hashes import SHA256
    from cryptography.hazmat.primitives.serialization import Encoding
    from cryptography.x509.oid import NameOID

    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, subject)])
    built = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(private.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(start)
        .not_valid_after(end)
        .sign(private, SHA256())
    )
    return built.public_bytes(Encoding.PEM).decode()


def read(data: bytes) -> tuple[str, str]:
    """A certificate in PEM and when it ends (RFC 3339). ValueError when it is none of RSA."""
    from cryptography import x509
    from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey
    from cryptography.hazmat.primitives.serialization import Encoding

    found = x509.load_pem_x509_certificate(data)
    if not isinstance(found.public_key(), RSAPublicKey):
        raise ValueError("not an RSA key")
    end = found.not_valid_after_utc.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
    return found.public_bytes(Encoding.PEM).decode(), end


@lru_cache(maxsize=256)
def public_key(certificate: str) -> RSAPublicKey:
    """The key that a certificate is of."""
    from cryptography import x509
    from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey

    key = x509.load_pem_x509_certificate(certificate.encode()).public_key()
    assert isinstance(key, RSAPublicKey)
    return key


def public_pem(certificate: str) -> bytes:
    """The key that a certificate is of, in PEM."""
    from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

    return public_key(certificate).public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)


@lru_cache(maxsize=64)
def private_key(pem: str) -> RSAPrivateKey:
    """A private key from PEM."""
    from emulator.accounts import load_private_key

    return load_private_key(pem)
