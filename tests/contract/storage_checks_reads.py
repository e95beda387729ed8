"""Checks of what is read: ranges, packed bytes, lists, and changes of what is there."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tests.contract.storage_checks import DATA, bucket, call, check
from tests.contract.storage_targets import Target

if TYPE_CHECKING:
    from google.cloud.storage import Bucket
    from requests import Response

# Downloads


def _ranged(target: Target, wanted: str) -> Response:
    made = bucket(target)
    made.blob("a").upload_from_string(DATA)
    url = f"/download/storage/v1/b/{made.name}/o/a?alt=media"
    return call(target, "GET", url, headers={"range": wanted})


@check("downloads")
def range_from_to(target: Target) -> None:
    """A range from start to end is 206 and these bytes."""
    answer = _ranged(target, "bytes=10-19")
    assert (answer.status_code, answer.content) == (206, DATA[10:20])
    assert answer.headers["content-range"] == f"bytes 10-19/{len(DATA)}"


@check("downloads")
def range_from_the_end(target: Target) -> None:
    """A range of the last bytes is 206 and these bytes."""
    answer = _ranged(target, "bytes=-7")
    assert (answer.status_code, answer.content) == (206, DATA[-7:])


@check("downloads")
def range_outside(target: Target) -> None:
    """A range behind the end is 416."""
    assert _ranged(target, f"bytes={len(DATA)}-").status_code == 416


def _packed(target: Target) -> Bucket:
    import gzip

    made = bucket(target)
    blob = made.blob("a")
    blob.content_encoding = "gzip"
    blob.upload_from_string(gzip.compress(DATA), content_type="text/plain")
    return made


@check("downloads")
def gzip_is_unpacked(target: Target) -> None:
    """What is stored as gzip is unpacked for a client that takes no gzip."""
    made = _packed(target)
    url = f"/download/storage/v1/b/{made.name}/o/a?alt=media"
    answer = call(target, "GET", url, headers={"accept-encoding": "identity"})
    assert answer.content == DATA
    assert "content-encoding" not in answer.headers


@check("downloads")
def gzip_is_left_alone(target: Target) -> None:
    """What is stored as gzip comes as it is for a client that takes gzip."""
    import gzip

    raw = _packed(target).blob("a").download_as_bytes(raw_download=True)
    assert gzip.decompress(raw) == DATA


# Lists


def filled(target: Target, names: list[str]) -> Bucket:
    made = bucket(target)
    for one in names:
        made.blob(one).upload_from_string("x")
    return made


@check("lists")
def prefix_and_delimiter(target: Target) -> None:
    """A prefix and a delimiter give the objects of a folder and its folders."""
    made = filled(target, ["a", "d/x", "d/e/y", "d/e/z", "d/f/z"])
    found = made.list_blobs(prefix="d/", delimiter="/")
    assert [blob.name for blob in found] == ["d/x"]
    assert found.prefixes == {"d/e/", "d/f/"}


@check("lists")
def order(target: Target) -> None:
    """Objects come in the order of their names' bytes."""
    names = ["b", "a", "B", "é", "a/b", "a-b", "日本"]
    found = [blob.name for blob in filled(target, names).list_blobs()]
    assert found == sorted(names, key=lambda one: one.encode())


@check("lists")
def page_tokens(target: Target) -> None:
    """Pages hold every object once."""
    names = [f"n{number}" for number in range(7)]
    pages = list(filled(target, names).list_blobs(page_size=3).pages)
    assert [blob.name for page in pages for blob in page] == names
    assert len(pages) == 3


@check("lists")
def at_most(target: Target) -> None:
    """`maxResults` is the most that a page holds, folders included."""
    made = filled(target, ["a/1", "b", "c/1"])
    answer = call(target, "GET", f"/storage/v1/b/{made.name}/o?maxResults=2&delimiter=/").json()
    assert (answer["prefixes"], [one["name"] for one in answer["items"]]) == (["a/"], ["b"])
    assert answer["nextPageToken"]


@check("lists")
def offsets(target: Target) -> None:
    """A start offset is included, an end offset is not."""
    made = filled(target, ["a", "b", "c", "d"])
    found = made.list_blobs(start_offset="b", end_offset="d")
    assert [blob.name for blob in found] == ["b", "c"]


@check("lists")
def match_glob(target: Target) -> None:
    """`matchGlob` knows *, ** and braces."""
    made = filled(target, ["a.jpg", "d/b.png", "d/e/c.jpg", "d/n.txt"])
    found = [blob.name for blob in made.list_blobs(match_glob="**.{jpg,png}")]
    assert found == ["a.jpg", "d/b.png", "d/e/c.jpg"]


@check("lists")
def odd_names(target: Target) -> None:
    """Names with spaces, #, %2F, question marks and 日本 are kept as they are."""
    names = ["with space", "with#hash", "with%2Fpercent", "日本/語", "q?u=e&r", "plus+", "a//b"]
    made = filled(target, names)
    assert {blob.name for blob in made.list_blobs()} == set(names)
    for one in names:
        assert made.blob(one).download_as_bytes() == b"x", one


# Changes


@check("changes")
def compose(target: Target) -> None:
    """Compose joins objects in order."""
    made = filled(target, [])
    parts = [made.blob(f"p{number}") for number in range(3)]
    for number, part in enumerate(parts):
        part.upload_from_string(str(number) * 5)
    whole = made.blob("whole")
    whole.content_type = "text/plain"
    whole.compose(parts)
    assert whole.download_as_bytes() == b"000001111122222"


@check("changes")
def copy(target: Target) -> None:
    """A copy has the bytes and the metadata."""
    made = bucket(target)
    blob = made.blob("a")
    blob.metadata = {"k": "v"}
    blob.upload_from_string(DATA, content_type="image/png")
    twin = made.copy_blob(blob, made, "b")
    twin.reload()
    assert (twin.metadata, twin.content_type) == ({"k": "v"}, "image/png")
    assert twin.download_as_bytes() == DATA


@check("changes")
def rewrite(target: Target) -> None:
    """A rewrite goes to another bucket."""
    source, target_bucket = bucket(target), bucket(target)
    blob = source.blob("a/b c")
    blob.upload_from_string(DATA)
    token, done, size = target_bucket.blob("x").rewrite(blob)
    assert (token, done, size) == (None, len(DATA), len(DATA))
    assert target_bucket.blob("x").download_as_bytes() == DATA


@check("changes")
def rename(target: Target) -> None:
    """A renamed object is no longer under its old name."""
    made = bucket(target)
    blob = made.blob("old")
    blob.upload_from_string(DATA)
    made.rename_blob(blob, "new")
    assert [one.name for one in made.list_blobs()] == ["new"]


@check("changes")
def move(target: Target) -> None:
    """`moveTo` renames in one step."""
    made = bucket(target)
    blob = made.blob("old")
    blob.upload_from_string(DATA)
    made.move_blob(blob, "new")
    assert [one.name for one in made.list_blobs()] == ["new"]


@check("changes")
def patch_object(target: Target) -> None:
    """A patch changes metadata, and the metageneration grows."""
    blob = bucket(target).blob("a")
    blob.upload_from_string("x")
    blob.reload()
    before = blob.metageneration
    blob.metadata = {"k": "v"}
    blob.patch()
    blob.reload()
    assert (blob.metadata, blob.metageneration > before) == ({"k": "v"}, True)


@check("changes")
def batch(target: Target) -> None:
    """A batch deletes several objects in one request."""
    client = target.client()
    made = filled(target, ["a", "b", "c"])
    with client.batch():
        for one in ("a", "b"):
            client.bucket(made.name).delete_blob(one)
    assert [blob.name for blob in made.list_blobs()] == ["c"]
