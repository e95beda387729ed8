"""Container images by name: `REGION-docker.pkg.dev/PROJECT/REPOSITORY/IMAGE:TAG`, taken apart."""

from __future__ import annotations

import re
from dataclasses import dataclass

# cloud.google.com/artifact-registry/docs/docker/names
SHAPE = re.compile(
    r"(?P<region>[a-z0-9-]+)-docker\.pkg\.dev/(?P<project>[^/]+)/(?P<repository>[^/]+)/"
    r"(?P<image>[^:@]+)(?::(?P<tag>[\w][\w.-]{0,127}))?(?:@(?P<digest>sha256:[0-9a-f]{64}))?"
)


@dataclass(frozen=True)
class ImageName:
    """An image in Artifact Registry; tag and digest are empty where the name has none."""

    region: str
    project: str
    repository: str
    image: str
    tag: str = ""
    digest: str = ""

    @property
    def host(self) -> str:
        """Where it is pushed to and pulled from."""
        return f"{self.region}-docker.pkg.dev"

    @property
    def parent(self) -> str:
        """Its repository, as the API names it."""
        return f"projects/{self.project}/locations/{self.region}/repositories/{self.repository}"

    def at(self, digest: str) -> str:
        """The name that only this very image has."""
        return f"{self.host}/{self.project}/{self.repository}/{self.image}@{digest}"


def parse(name: str) -> ImageName | None:
    """The parts of a name; None for an image that is not in Artifact Registry."""
    found = SHAPE.fullmatch(name)
    return ImageName(**found.groupdict(default="")) if found else None


def trainer(repository: str, tag: str) -> str:
    """The trainer's image in a repository `REGION-docker.pkg.dev/PROJECT/REPOSITORY`."""
    return f"{repository}/trainer:{tag}"


def stack_repository(project: str, region: str, stack: str) -> str:
    """The repository that infra/ makes for a stack."""
    return f"{region}-docker.pkg.dev/{project}/ops-{stack}"
