"""Images in Artifact Registry: whether one is there, and by which digest."""

from __future__ import annotations

from urllib.parse import quote

from ops.cloud import rest
from ops.cloud.session import Session
from ops.image_names import ImageName

HOST = "artifactregistry.googleapis.com"


def digest(session: Session, image: ImageName) -> str:
    """The image's digest, by its own or by its tag (`latest` without one); empty: not there."""
    if image.digest:
        whole = quote(f"{image.image}@{image.digest}", safe="")
        found = _get(session, f"/v1/{image.parent}/dockerImages/{whole}")
        return image.digest if found else ""
    package = quote(image.image, safe="")
    found = _get(session, f"/v1/{image.parent}/packages/{package}/tags/{image.tag or 'latest'}")
    return str(found["version"]).rpartition("/")[2] if found else ""


def has_repository(session: Session, image: ImageName) -> bool:
    """Whether the image's repository is there, with or without the image."""
    return _get(session, f"/v1/{image.parent}") is not None


def _get(session: Session, path: str) -> rest.Body | None:
    from google.api_core.exceptions import NotFound

    try:
        return rest.get(session, HOST, path)
    except NotFound:
        return None
