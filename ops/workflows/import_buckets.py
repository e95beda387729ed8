"""Photos that lie in buckets: looked up together, referred to in place or copied, never guessed."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import partial

from ops import names
from ops.cloud import objects
from ops.cloud.objects import Refusal, Stored
from ops.cloud.session import Session
from ops.data.cloud_folder import list_cloud_folder
from ops.data.listing import Candidate, Listing, shown
from ops.data.photos import Photo, crc32c_of
from ops.data.places import CloudObject
from ops.data.problems import BadPhotoError
from ops.data.row import CLOUD, CloudBase
from ops.data.sources import ROWS_SUFFIXES, TABLE_SUFFIXES, list_content
from ops.progress import Progress

OBJECT_VIEWER = "roles/storage.objectViewer"


@dataclass(frozen=True, slots=True)
class _Home:
    """Where a bucket is, and whether that is where the data set will be."""

    location: str
    is_here: bool


def read_cloud_source(session: Session, source: str, several: bool | None) -> Listing:
    """The photos of a CSV or JSON lines in a bucket, or of a folder per class there."""
    listing = Listing(shown(source))
    bucket, name = _parsed(source)
    if not bucket:
        _refuse(listing, "not the address of an object or folder.", "Type gs://BUCKET/OBJECT.")
    elif name.lower().endswith((*TABLE_SUFFIXES, *ROWS_SUFFIXES)):
        _read_list(session, listing, (bucket, name), several)
    else:
        _read_folder(session, listing, bucket, name)
        listing.multi_label = bool(several)
    return listing


def look_up(session: Session, listing: Listing, progress: Progress) -> None:
    """Each candidate in a bucket gets to know its object, or is a problem that says why not."""
    wanted = [one.place for one in listing.candidates if isinstance(one.place, CloudObject)]
    unknown = [place.uri for place in wanted if not place.generation]
    if not unknown:
        return
    found: dict[str, CloudObject | Refusal] = {}
    with progress.step("Looking up", len(unknown), "photos") as step:
        for bucket, inside in objects.by_bucket(unknown).items():
            found.update(_looked_up(session, bucket, inside))
            step.advance(len(inside))
    listing.candidates = _resolved(listing, found)


def _resolved(listing: Listing, found: dict[str, CloudObject | Refusal]) -> list[Candidate]:
    kept = []
    for candidate in listing.candidates:
        place = found.get(str(candidate.place), candidate.place)
        if isinstance(place, Refusal):
            listing.problem(candidate.where, *_words(str(candidate.place), place))
        else:
            kept.append(replace(candidate, place=place))
    return kept


def _looked_up(
    session: Session, bucket: str, inside: list[str]
) -> dict[str, CloudObject | Refusal]:
    home = _home(session, bucket)
    if isinstance(home, Refusal):
        return {names.gs_uri(bucket, name): home for name in inside}
    return {
        names.gs_uri(bucket, name): one if isinstance(one, Refusal) else _object(session, one, home)
        for name, one in objects.find(session, bucket, inside).items()
    }


def _home(session: Session, bucket: str) -> _Home | Refusal:
    location = objects.bucket_location(session, bucket)
    if isinstance(location, Refusal):
        return location
    return _Home(location, is_here=location == session.settings.region)


def _object(session: Session, stored: Stored, home: _Home) -> CloudObject:
    return CloudObject(
        uri=stored.uri,
        generation=stored.generation,
        size_bytes=stored.size_bytes,
        crc32c=stored.crc32c,
        location=home.location,
        encoded=stored.encoded,
        stays=home.is_here and not stored.encoded,
        read=partial(_read, session, stored),
    )


def _read(session: Session, stored: Stored) -> bytes:
    """The object's bytes, compared with its checksum. Raises BadPhotoError."""
    content = objects.read(session, stored.bucket, stored.name, stored.generation)
    if isinstance(content, Refusal):
        raise BadPhotoError(*_words(stored.uri, content))
    if not stored.encoded and stored.crc32c and crc32c_of(content) != stored.crc32c:
        raise BadPhotoError("other bytes came than its checksum says.", "Type the command again.")
    return content


def _words(uri: str, refusal: Refusal) -> tuple[str, str]:
    """What is wrong with an object, and what to do."""
    bucket = names.parse_gs_uri(uri)[0]
    if refusal.status == 403:
        return (
            f"this account may not read it ({refusal.message}).",
            f"Grant it {OBJECT_VIEWER} on gs://{bucket}.",
        )
    if refusal.status == 400:
        return f"it cannot be an object's name ({refusal.message}).", "Correct the address."
    if "bucket" in refusal.message.lower():
        return f"there is no bucket gs://{bucket}.", "Correct the address."
    return "there is no such object.", "Correct the address, or copy the photo there."


def _parsed(source: str) -> tuple[str, str]:
    try:
        return names.parse_gs_uri(source)
    except ValueError:
        return "", ""


def _refuse(listing: Listing, what: str, fix: str) -> None:
    listing.problem(listing.source, what, fix, skippable=False)


def _read_list(
    session: Session, listing: Listing, where: tuple[str, str], several: bool | None
) -> None:
    content = objects.read(session, *where)
    if isinstance(content, Refusal):
        _refuse(listing, *_words(names.gs_uri(*where), content))
        return
    folder, _, file = names.gs_uri(*where).rpartition("/")
    suffix = f".{file.rpartition('.')[2]}"
    list_content(listing, content, suffix, CloudBase(folder), several)


def _read_folder(session: Session, listing: Listing, bucket: str, name: str) -> None:
    from google.api_core.exceptions import Forbidden

    prefix = f"{name.rstrip('/')}/" if name.strip("/") else ""
    top = names.gs_uri(bucket, prefix) if prefix else f"{CLOUD}{bucket}/"
    home = _home(session, bucket)
    if isinstance(home, Refusal):
        _refuse(listing, *_words(top, home))
        return
    try:
        found = [_object(session, one, home) for one in objects.listed(session, bucket, prefix)]
    except Forbidden as refused:
        _refuse(listing, *_words(top, Refusal(403, str(refused.message))))
        return
    list_cloud_folder(listing, top, found)


def same_bytes(photo: Photo) -> Stored | None:
    """The object that holds a photo's bytes as they are to be stored; None if none does."""
    place = photo.place
    if not isinstance(place, CloudObject) or photo.change is not None or place.encoded:
        return None
    return Stored(
        place.bucket, place.name, place.generation, place.size_bytes, place.crc32c, encoded=False
    )
