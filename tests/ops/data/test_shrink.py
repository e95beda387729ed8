"""Any photo fits a prediction request."""

from __future__ import annotations

import base64
import io
import json
import random
from pathlib import Path

import pytest
from PIL import Image

from ops.data.shrink import MAX_CONTENT_BYTES, MAX_REQUEST_BYTES, prepare_photo
from ops.errors import Code, OpsError


def noise(width: int, height: int, seed: int = 0) -> Image.Image:
    """A picture that compresses as badly as a picture can."""
    return Image.frombytes(
        "RGB", (width, height), random.Random(seed).randbytes(width * height * 3)
    )


def saved(image: Image.Image, kind: str, **options: object) -> bytes:
    """The picture as a file of this format."""
    out = io.BytesIO()
    image.save(out, kind, **options)
    return out.getvalue()


def seen(content: bytes) -> Image.Image:
    """The picture that a server decodes."""
    return Image.open(io.BytesIO(content))


def test_a_photo_that_fits_is_sent_byte_for_byte() -> None:
    """Nothing is done to an upright JPEG or PNG below the limit, and nothing is said."""
    jpeg, png = saved(noise(300, 200), "JPEG"), saved(noise(40, 30), "PNG")

    assert (jpeg, "image/jpeg", None) == _parts(prepare_photo(jpeg))
    assert (png, "image/png", None) == _parts(prepare_photo(png))


def test_the_largest_photo_that_is_left_alone_fits_the_request() -> None:
    """Base64 in JSON of the most bytes that are sent stays below 1.5 MB."""
    content = base64.b64encode(b"x" * MAX_CONTENT_BYTES).decode()
    body = {"instances": [{"content": content, "mimeType": "image/jpeg"}], "parameters": {}}

    assert MAX_REQUEST_BYTES - 2_000 <= len(json.dumps(body)) <= MAX_REQUEST_BYTES


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "BMP", "TIFF", "WEBP"])
def test_a_photo_of_any_format_is_shrunk_to_fit(kind: str) -> None:
    """Even noise of 6 megapixels fits, keeps its shape, and the note says what happened."""
    original = saved(noise(3000, 2000), kind)

    prepared = prepare_photo(original)

    picture = seen(prepared.content)
    assert len(prepared.content) <= MAX_CONTENT_BYTES
    assert picture.width / picture.height == pytest.approx(1.5, abs=0.01)
    assert prepared.mime_type == "image/jpeg"
    assert prepared.note == (
        f"shrunk from 3000×2000 ({len(original) / 1e6:.1f} MB) to {picture.width}×{picture.height} "
        f"({len(prepared.content) / 1e6:.1f} MB) to fit the request of 1.5 MB"
    )


@pytest.mark.parametrize("orientation", range(1, 9))
def test_a_turned_photo_is_sent_as_one_sees_it(orientation: int) -> None:
    """The bright corner is where a viewer shows it, for every EXIF orientation."""
    upright = Image.new("RGB", (80, 40), "black")
    upright.paste("white", (0, 0, 20, 10))
    exif = Image.Exif()
    exif[0x0112] = orientation

    prepared = prepare_photo(saved(_as_stored(upright, orientation), "JPEG", exif=exif))

    picture = seen(prepared.content).convert("L")
    corner, rest = picture.crop((0, 0, 8, 8)), picture.crop((40, 20, 80, 40))
    assert picture.size == (80, 40)
    assert (min(corner.tobytes()) > 200, max(rest.tobytes()) < 50) == (True, True)
    assert prepared.note == (None if orientation == 1 else "turned upright")


def test_a_large_turned_photo_names_the_size_one_sees() -> None:
    """The note of a shrunk portrait speaks of a portrait."""
    exif = Image.Exif()
    exif[0x0112] = 6

    prepared = prepare_photo(saved(noise(2000, 1500), "JPEG", exif=exif, quality=95))

    assert prepared.note is not None
    assert prepared.note.startswith("shrunk from 1500×2000 (")
    assert seen(prepared.content).height > seen(prepared.content).width


def test_a_small_photo_of_another_format_is_converted_and_said_so() -> None:
    """What the served model's decoder may not read becomes JPEG."""
    prepared = prepare_photo(saved(noise(60, 40), "WEBP"))

    assert (prepared.mime_type, prepared.note) == ("image/jpeg", "converted from WEBP")
    assert seen(prepared.content).size == (60, 40)


def test_what_is_not_a_photo_is_refused_by_name(tmp_path: Path) -> None:
    """A text file is refused with its name and its first words."""
    path = tmp_path / "note.jpg"
    path.write_text("hello world\n")

    with pytest.raises(OpsError) as refused:
        prepare_photo(path)

    assert refused.value.code is Code.BAD_DATA
    assert refused.value.message == (
        f"{path}: not a photo: the content is text, starting with “hello world”."
    )
    assert refused.value.hint == "Replace it by a JPEG or PNG, or remove it."


def test_a_photo_cut_short_is_refused(tmp_path: Path) -> None:
    """Half a JPEG is refused here, whether it would have been shrunk or not."""
    for size in ((200, 200), (3000, 2000)):
        whole = saved(noise(*size), "JPEG")
        path = tmp_path / "half.jpg"
        path.write_bytes(whole[: len(whole) // 2])

        with pytest.raises(OpsError, match="damaged or cut short"):
            prepare_photo(path)


def test_a_missing_photo_is_refused(tmp_path: Path) -> None:
    """A path that leads nowhere is an error with a next step, not a trace."""
    with pytest.raises(OpsError) as refused:
        prepare_photo(tmp_path / "none.jpg")

    assert refused.value.message == f"{tmp_path / 'none.jpg'}: there is no such file."
    assert refused.value.hint == "Correct the path or add the file."


def _parts(prepared: object) -> tuple[object, object, object]:
    return (
        getattr(prepared, "content", None),
        getattr(prepared, "mime_type", None),
        getattr(prepared, "note", None),
    )


def _as_stored(upright: Image.Image, orientation: int) -> Image.Image:
    """The pixels that a camera stores so that this orientation shows `upright` (EXIF 2.32)."""
    inverse = {
        2: Image.Transpose.FLIP_LEFT_RIGHT,
        3: Image.Transpose.ROTATE_180,
        4: Image.Transpose.FLIP_TOP_BOTTOM,
        5: Image.Transpose.TRANSPOSE,
        6: Image.Transpose.ROTATE_90,
        7: Image.Transpose.TRANSVERSE,
        8: Image.Transpose.ROTATE_270,
    }
    return upright.transpose(inverse[orientation]) if orientation in inverse else upright
