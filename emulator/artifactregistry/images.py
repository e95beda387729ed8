"""Images that a build registered: listed and told by digest, and found by their tags."""

from __future__ import annotations

import re
from typing import Any
from urllib.parse import quote

from starlette.requests import Request

from emulator.artifactregistry import repositories
from emulator.artifactregistry.repositories import NOT_FOUND, key_of
from emulator.clock import timestamp
from emulator.cloud import Cloud
from emulator.errors import ApiError
from emulator.resourcemanager import projects
from emulator.typed_api import page

Body = dict[str, Any]

IMAGE, TAG, PACKAGE = "dockerImage", "registryTag", "registryPackage"
URI = re.compile(r"([a-z0-9-]+)-docker\.pkg\.dev/([^/]+)/([^/]+)/([^:@]+):([\w][\w.-]{0,127})")
BELOW = re.compile(r"(projects/[^/]+/locations/[^/]+/repositories/[^/]+)/(.+)")
MANIFEST = "application/vnd.docker.distribution.manifest.v2+json"


def repository_of(cloud: Cloud, uri: str) -> str:
    """The repository of `REGION-docker.pkg.dev/PROJECT/NAME/IMAGE:TAG`. NOT_FOUND without it."""
    found = URI.fullmatch(uri)
    if found is None:
        raise ApiError("NOT_FOUND", f"No image of Artifact Registry: {uri}")
    key = f"projects/{projects.canonical(cloud, found[2])}/locations/{found[1]}/repositories"
    if cloud.resources.get(f"{key}/{found[3]}") is None:
        raise ApiError("NOT_FOUND", f'Repository "{found[3]}" not found')
    return f"{key}/{found[3]}"


def register(cloud: Cloud, uri: str, digest: str) -> None:
    """The image is there, and the tag is its own; an image that lost it stays."""
    repository = repository_of(cloud, uri)
    name, _, tag = uri.rpartition(":")
    package = quote(name.split("/", 3)[3], safe="")
    path, now = f"{repository}/packages/{package}", timestamp(cloud.clock.now())
    with cloud.store.transaction():
        _untag(cloud, repository, name, tag)
        _put_image(cloud, repository, package, f"{name}@{digest}", tag)
        tagged = {"name": f"{path}/tags/{tag}", "version": f"{path}/versions/{digest}"}
        _put(cloud, TAG, tagged, path)
        kept = cloud.resources.get(path) or {"name": path, "createTime": now}
        _put(cloud, PACKAGE, {**kept, "updateTime": now}, repository)


def _untag(cloud: Cloud, repository: str, name: str, tag: str) -> None:
    for key, body in cloud.resources.list(IMAGE, repository):
        if body["uri"].startswith(f"{name}@") and tag in body["tags"]:
            left = [one for one in body["tags"] if one != tag]
            cloud.resources.replace(key, {**body, "tags": left})


def _put_image(cloud: Cloud, repository: str, package: str, uri: str, tag: str) -> None:
    key, now = f"{repository}/dockerImages/{package}@{uri.partition('@')[2]}", cloud.clock.now()
    first = {"uri": uri, "tags": [], "uploadTime": timestamp(now), "buildTime": timestamp(now)}
    body = cloud.resources.get(key) or {"name": key, "mediaType": MANIFEST, **first}
    tags = sorted({*body["tags"], tag})
    _put(cloud, IMAGE, {**body, "tags": tags, "updateTime": timestamp(now)}, repository)


def listed(cloud: Cloud, request: Body, _: Request) -> Body:
    """The images of a repository."""
    return page("dockerImages", _rows(cloud, IMAGE, request["parent"]), request)


def packages(cloud: Cloud, request: Body, _: Request) -> Body:
    """The names that images of a repository have."""
    return page("packages", _rows(cloud, PACKAGE, request["parent"]), request)


def tags(cloud: Cloud, request: Body, _: Request) -> Body:
    """The tags of a package."""
    found = BELOW.fullmatch(request["parent"])
    key = _require(cloud, found[1] if found else "")
    parent = f"{key}/{found[2] if found else ''}"
    return page("tags", [body for _, body in cloud.resources.list(TAG, parent)], request)


def get(cloud: Cloud, request: Body, _: Request) -> Body:
    """The image, tag or package of a name. NOT_FOUND without it."""
    found = BELOW.fullmatch(request["name"])
    body = cloud.resources.get(f"{_require(cloud, found[1])}/{found[2]}") if found else None
    if body is None:
        raise ApiError("NOT_FOUND", NOT_FOUND)
    return body


def delete_repository(cloud: Cloud, request: Body, call: Request) -> Body:
    """An operation; the repository is gone, with everything in it."""
    with cloud.store.transaction():
        _forget(cloud, _require(cloud, request["name"]))
        return repositories.delete(cloud, request, call)


def _forget(cloud: Cloud, repository: str) -> None:
    for package, _ in cloud.resources.list(PACKAGE, repository):
        for tag, _ in cloud.resources.list(TAG, package):
            cloud.resources.delete(tag)
        cloud.resources.delete(package)
    for image, _ in cloud.resources.list(IMAGE, repository):
        cloud.resources.delete(image)


def _rows(cloud: Cloud, kind: str, parent: str) -> list[Body]:
    return [body for _, body in cloud.resources.list(kind, _require(cloud, parent))]


def _require(cloud: Cloud, name: str) -> str:
    key = key_of(cloud, name)
    if cloud.resources.get(key) is None:
        raise ApiError("NOT_FOUND", NOT_FOUND)
    return key


def _put(cloud: Cloud, kind: str, body: Body, parent: str) -> None:
    if cloud.resources.get(body["name"]) is None:
        cloud.resources.insert(kind, body["name"], body, parent)
    else:
        cloud.resources.replace(body["name"], body)
