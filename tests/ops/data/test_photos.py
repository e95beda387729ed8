"""What is stored for a photo: its own bytes, or an upright picture that every trainer reads."""

import hashlib
import io
from pathlib import Path

import pytest
from PIL import Image

from ops.data.photos import check_photo, crc32c_of, stored_bytes
from ops.data.problems import BadPhotoError
from tests.ops.photo_files import encoded, photo, picture, with_orientation


def written(folder: Path, content: bytes, name: str = "photo.jpg") -> Path:
    """A file of these bytes."""
    path = folder / name
    path.write_bytes(content)
    return path


@pytest.mark.parametrize(
    ("content", "extension"),
    [
        (photo(1), "jpg"),
        (encoded(picture(1), "PNG"), "png"),
        (encoded(picture(1).convert("P"), "PNG"), "png"),
        (encoded(picture(1).convert("L")), "jpg"),
        (encoded(picture(1), progressive=True), "jpg"),
        (with_orientation(picture(1), 1), "jpg"),
    ],
    ids=["jpeg", "png", "palette", "grey", "progressive", "upright-exif"],
)
def test_a_photo_that_all_can_read_is_stored_as_it_is(
    tmp_path: Path, content: bytes, extension: str
) -> None:
    """The stored bytes are the file's, known by their hash; nothing is said."""
    found = check_photo(written(tmp_path, content))

    assert (found.change, found.extension) == (None, extension)
    assert found.sha256 == found.source_sha256 == hashlib.sha256(content).hexdigest()
    assert (found.width, found.height, found.size_bytes) == (24, 16, len(content))
    assert stored_bytes(found) == content


@pytest.mark.parametrize(
    ("content", "change", "extension"),
    [
        (encoded(picture(1), "WEBP"), "converted from WEBP", "jpg"),
        (encoded(picture(1), "AVIF"), "converted from AVIF", "jpg"),
        (encoded(picture(1), "TIFF"), "converted from TIFF", "png"),
        (encoded(picture(1), "GIF"), "converted from GIF", "png"),
        (encoded(picture(1), "BMP"), "converted from BMP", "png"),
        (encoded(picture(1, (16, 16)), "ICO"), "converted from ICO", "png"),
        (encoded(picture(1).convert("CMYK")), "converted from CMYK", "jpg"),
        (encoded(Image.new("I;16", (24, 16), 999), "PNG"), "converted from 16 bits a pixel", "png"),
        (with_orientation(picture(1), 6), "turned upright", "jpg"),
    ],
)
def test_other_photos_are_converted_and_it_is_said(
    tmp_path: Path, content: bytes, change: str, extension: str
) -> None:
    """The stored picture is a plain JPEG or PNG, made the same way each time; the file's own hash
    stays known."""
    found = check_photo(written(tmp_path, content))

    stored = stored_bytes(found)
    image = Image.open(io.BytesIO(stored))
    assert (found.change, found.extension) == (change, extension)
    assert image.mode in ("RGB", "L")
    assert image.size == (found.width, found.height)
    assert found.source_sha256 == hashlib.sha256(content).hexdigest()
    assert found.sha256 == hashlib.sha256(stored).hexdigest() != found.source_sha256
    assert (found.crc32c, found.size_bytes) == (crc32c_of(stored), len(stored))


def test_a_turned_photo_is_stored_as_one_sees_it(tmp_path: Path) -> None:
    """A portrait held sideways is stored as a portrait, without the EXIF that said so."""
    found = check_photo(written(tmp_path, with_orientation(picture(1, (24, 16)), 6)))

    stored = Image.open(io.BytesIO(stored_bytes(found)))
    assert (found.width, found.height) == stored.size == (16, 24)
    assert dict(stored.getexif()) == {}


def test_transparency_becomes_white(tmp_path: Path) -> None:
    """What lets the ground shine through is white, as on paper."""
    glass = Image.new("RGBA", (8, 8), (255, 0, 0, 0))

    found = check_photo(written(tmp_path, encoded(glass, "WEBP", lossless=True)))

    assert Image.open(io.BytesIO(stored_bytes(found))).getextrema() == ((255, 255),) * 3


def test_sixteen_bits_keep_their_greys(tmp_path: Path) -> None:
    """Deep greys become the high byte: half of 65,535 is half of 255."""
    content = encoded(Image.new("I;16", (8, 8), 32_768), "PNG")

    found = check_photo(written(tmp_path, content))

    low, high = Image.open(io.BytesIO(stored_bytes(found))).getextrema()
    assert low == high
    assert low in (127, 128)


def test_broken_exif_is_no_reason_to_refuse(tmp_path: Path) -> None:
    """Nonsense in the EXIF block leaves the photo as it is."""
    content = encoded(picture(1), exif=b"Exif\x00\x00not a TIFF header at all")

    assert check_photo(written(tmp_path, content)).change is None


def test_a_file_that_changes_after_its_check_is_refused(tmp_path: Path) -> None:
    """What is uploaded is what was checked, or nothing."""
    found = check_photo(written(tmp_path, photo(1)))
    written(tmp_path, photo(2))

    with pytest.raises(BadPhotoError, match="the file changed while it was imported"):
        stored_bytes(found)


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "GIF", "BMP", "WEBP", "TIFF"])
@pytest.mark.parametrize("part", [0.5, 0.9])
def test_a_photo_cut_short_is_found_in_every_format(tmp_path: Path, kind: str, part: float) -> None:
    """A file that lacks its end is refused, whatever it is."""
    content = encoded(picture(1, (120, 80)), kind)

    with pytest.raises(BadPhotoError, match="damaged or cut short"):
        check_photo(written(tmp_path, content[: int(len(content) * part)]))


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"\0\0\0\x18ftypheic\0\0", "a HEIC photo (iPhone); save it as JPEG first"),
        (b"%PDF-1.7", "a PDF document"),
        (b"<svg xmlns=", "an SVG drawing; save it as PNG first"),
        (b"PK\x03\x04", "a ZIP archive"),
        (b"\x01\x02\x03\xff", "unknown, starting with bytes 01 02 03 ff"),
    ],
)
def test_other_files_are_told_by_their_first_bytes(
    tmp_path: Path, content: bytes, words: str
) -> None:
    """The message says what the file seems to be, and for photos what to do."""
    with pytest.raises(BadPhotoError) as refused:
        check_photo(written(tmp_path, content))

    assert refused.value.what == f"not a photo: the content is {words}."
    assert refused.value.is_photo is False
