"""A photo's bytes, from whichever bucket it lies in."""

from __future__ import annotations

from ops import names
from ops.cloud.session import Session


def read(session: Session, uri: str) -> bytes | None:
    """The bytes of a gs:// URI; None when it is gone, not readable, or no such URI."""
    from google.api_core.exceptions import Forbidden, NotFound

    try:
        bucket, name = names.parse_gs_uri(uri)
        data: bytes = session.call(session.storage().bucket(bucket).blob(name).download_as_bytes)
    except (NotFound, Forbidden, ValueError):
        return None
    return data
