"""Bytes of stored objects, one behind the other, opened and sealed by customers' keys."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from typing import Any, Protocol

from emulator.cloud import Cloud
from emulator.storage.encryption import Seal, plain_pieces
from emulator.store.blobs import BlobRef, BlobWriter


class Stored(Protocol):
    """What has bytes: an object, or a part of one."""

    @property
    def sha256(self) -> str:
        """The name of its blob."""
        ...

    @property
    def secret(self) -> dict[str, Any] | None:
        """How its bytes are encrypted, None: they are not."""
        ...


@dataclass(frozen=True)
class Part:
    """Stored bytes and the key that opens them, None where they are not encrypted."""

    row: Stored
    key: bytes | None = None


def join(cloud: Cloud, writer: BlobWriter, parts: Sequence[Part], seal: Seal | None) -> BlobRef:
    """What the joined bytes are, once they are in their place; reads files, so not on the loop."""
    with ExitStack() as stack:
        for part in parts:
            cloud.blobs.pin(part.row.sha256)
            stack.callback(cloud.blobs.unpin, part.row.sha256)
        for part in parts:
            path = cloud.blobs.path(part.row.sha256)
            for data in plain_pieces(path, part.row.secret, part.key):
                writer.write(seal.update(data) if seal else data)
        reference = writer.finish()
    return seal.reference(reference) if seal else reference
