"""Objects brought to this machine, many at once, each whole or not at all."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from urllib.parse import quote

from ops import names
from ops.cloud.session import Session
from ops.errors import Code, OpsError
from ops.parallel import in_order

THREADS = 8
OK = 200


def place(folder: Path, uri: str) -> Path:
    """Where an object of a gs:// URI lies below a folder of buckets: FOLDER/BUCKET/NAME."""
    bucket, name = names.parse_gs_uri(uri)
    found = folder / bucket / name
    if ".." in found.parts:
        raise OpsError(Code.BAD_DATA, f"{uri} leads out of its bucket.", "Import it anew.")
    return found


def fetch_all(session: Session, uris: Sequence[str], folder: Path) -> Iterator[str]:
    """Each URI when its object lies below `folder`, in order; NOT_FOUND for one that is gone."""

    def fetch(uri: str) -> str:
        fetch_one(session, uri, place(folder, uri))
        return uri

    yield from in_order(fetch, uris, THREADS)


def fetch_one(session: Session, uri: str, path: Path) -> None:
    """The object as a file, renamed into place when it is whole."""
    from google.api_core import exceptions

    bucket, name = names.parse_gs_uri(uri)
    source = f"/storage/v1/b/{bucket}/o/{quote(name, safe='')}?alt=media"
    answer = session.call(session.wire().send, "GET", source, b"", {})
    if answer.status == exceptions.NotFound.code:
        raise OpsError(Code.NOT_FOUND, f"{uri} is not there any more.", "Import the photos again.")
    if answer.status != OK:
        raise exceptions.from_http_status(answer.status, uri)  # type: ignore[no-untyped-call]
    path.parent.mkdir(parents=True, exist_ok=True)
    new = path.with_name(path.name + ".part")
    new.write_bytes(answer.data)
    new.replace(path)
