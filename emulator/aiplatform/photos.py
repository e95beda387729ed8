"""Whether an object can be a photo of a dataset: there, not too large, an image, near enough."""

from __future__ import annotations

from dataclasses import dataclass

from emulator.aiplatform.import_files import RowError
from emulator.aiplatform.storage_access import Access
from emulator.cloud import Cloud
from emulator.storage import buckets, objects

# "Prepare image training data for classification", read 2026-08-22.
MAX_PHOTO_BYTES = 30 * 2**20
_MAGIC = (
    (b"\xff\xd8\xff", "image/jpeg"),
    (b"\x89PNG\r\n\x1a\n", "image/png"),
    (b"GIF87a", "image/gif"),
    (b"GIF89a", "image/gif"),
    (b"BM", "image/bmp"),
    (b"\x00\x00\x01\x00", "image/vnd.microsoft.icon"),
    (b"II*\x00", "image/tiff"),
    (b"MM\x00*", "image/tiff"),
)
# Multi-regions that hold a region; Google advises the same region (facts: "Locations").
_MULTI_REGIONS = {"US": "us-", "EU": "europe-", "ASIA": "asia-"}


@dataclass(frozen=True)
class Photo:
    """The stored bytes behind a `gs://` address, at the moment of import."""

    sha256: str
    mime: str


def split_uri(uri: str) -> tuple[str, str]:
    """Bucket and object of a `gs://` address; RowError for another address."""
    bucket, slash, name = uri.removeprefix("gs://").partition("/")
    if not uri.startswith("gs://") or not bucket or not slash or not name:
        raise RowError(f'Not a Cloud Storage address: "{uri}". Expected gs://BUCKET/OBJECT.')
    return bucket, name


def media_type(head: bytes) -> str | None:
    """The type that the first bytes show, or None: no image of a kind AutoML reads."""
    if head[:4] == b"RIFF" and head[8:12] == b"WEBP":
        return "image/webp"
    return next((mime for magic, mime in _MAGIC if head.startswith(magic)), None)


def location_problem(cloud: Cloud, bucket: str, region: str, user: str) -> str:
    """Why something in a region cannot use a bucket; empty when it can."""
    with cloud.store.read() as db:
        row = buckets.find(db, bucket)
    if row is None:
        return f'The bucket "gs://{bucket}" does not exist.'
    location = str(row.body.get("location", "US")).upper()
    if location == region.upper() or region.startswith(_MULTI_REGIONS.get(location, "\0")):
        return ""
    return f'The bucket "gs://{bucket}" is in {location}, {user} in {region}.'


class PhotoReader:
    """Looks at objects one by one; buckets are looked up once."""

    def __init__(self, cloud: Cloud, region: str, access: Access) -> None:
        self._cloud = cloud
        self._region = region
        self._access = access
        self._bucket_problems: dict[str, str] = {}

    def read(self, uri: str) -> Photo:
        """The photo at an address; RowError when it cannot be imported.

        FAILED_PRECONDITION where nobody has let Vertex AI read it.
        """
        bucket, name = split_uri(uri)
        if problem := self._bucket_problem(bucket):
            raise RowError(problem)
        self._access.require_read(uri)
        row = objects.get_object(self._cloud, bucket, name)
        if row is None:
            raise RowError(f'The file "{uri}" does not exist.')
        if row.size_bytes > MAX_PHOTO_BYTES:
            raise RowError(f'"{uri}" has {row.size_bytes} bytes; an image may have 31457280.')
        with self._cloud.blobs.path(row.sha256).open("rb") as file:
            mime = media_type(file.read(16))
        if mime is None:
            raise RowError(f'"{uri}" is not an image that can be read (JPEG, PNG, GIF, BMP, ICO).')
        return Photo(row.sha256, mime)

    def _bucket_problem(self, bucket: str) -> str:
        if bucket not in self._bucket_problems:
            found = location_problem(self._cloud, bucket, self._region, "the dataset")
            self._bucket_problems[bucket] = found
        return self._bucket_problems[bucket]
