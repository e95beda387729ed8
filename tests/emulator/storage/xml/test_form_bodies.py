"""multipart/form-data in pieces: the file is the same however the network cut it."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from emulator.storage.xml.errors import XmlError
from emulator.storage.xml.form_body import FIELDS_LIMIT_BYTES, FormBody

HEAD = (
    b'preamble\r\n--b\r\nContent-Disposition: form-data; name="Key"\r\n\r\na b\r\n'
    b'--b\r\ncontent-disposition: form-data; name="file"; filename="m.txt"\r\n'
    b"Content-Type: text/x\r\n\r\n"
)
# Bytes that look like the end, so that holding back is tried.
LOOKS = st.lists(st.sampled_from([b"\r\n", b"\n", b"\r", b"--", b"-", b"b", b"x"]), max_size=30)


def fed(body: bytes, size: int) -> tuple[FormBody, bytes]:
    """The form, and the file's bytes, of a body that comes in pieces of a size."""
    form = FormBody(b"b")
    places = range(0, len(body), size)
    data = b"".join(form.feed(body[place : place + size]) for place in places)
    form.finish()
    return form, data


@given(parts=LOOKS, size=st.integers(1, 40), end=st.sampled_from([b"\r\n", b"\n"]))
def test_any_file_in_any_pieces(parts: list[bytes], size: int, end: bytes) -> None:
    """What stands between the head and the mark is the file, byte by byte."""
    content = b"".join(parts)
    if b"\n--b" in b"\n" + content or (end == b"\n" and content.endswith(b"\r")):
        return  # a mark of its own, or a line end that cannot be told from the mark's

    form, data = fed(HEAD + content + end + b"--b--\r\n", size)

    assert data == content
    assert form.fields == {"key": "a b"}
    assert (form.file_name, form.file_type) == ("m.txt", "text/x")


def test_fields_have_a_limit() -> None:
    """Fields without end are refused before they fill the memory."""
    form = FormBody(b"b")
    head = b'--b\r\nContent-Disposition: form-data; name="a"\r\n\r\n'

    with pytest.raises(XmlError, match="Invalid argument"):
        for _ in range(FIELDS_LIMIT_BYTES // 1000 + 2):
            form.feed(head + b"x" * 1000)
            head = b""
