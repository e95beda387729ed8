"""A step of a command: a request that changes something, known by what it asks for.

Not by a running number, which shifts when a lock is found or threads overtake one another.
"""

import re
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass

LOCATION = r"/v1/projects/[^/]+/locations/[^/]+/"
OBJECTS = r"/storage/v1/b/[^/]+/o/"
# What differs from one undisturbed command to the next → what stands for it.
VARIABLE = (
    (rf" (/upload)?{OBJECTS[:-1]} ", " objects/"),
    (rf" {OBJECTS}", " objects/"),
    (r" /storage/v1/b/[^/]+$", " buckets/{bucket}"),
    (r" /storage/v1/b$", " buckets"),
    (rf" {LOCATION}", " "),
    (r"\b(import|train|deploy)-[0-9a-f]{8,}-[0-9a-f]{8,}-\d+", "{run}"),
    (r"\b[0-9a-f]{64}\b", "{hash}"),
    (r" objects/datasets/[^/]+/", " objects/datasets/{name}/"),
    (r" models/[^/:@]+", " models/{model}"),
    (r"@\d+", "@{version}"),
    (r"/\d+", "/{id}"),
)


@dataclass(frozen=True)
class Step:
    """The request of a command that is the `ordinal`-th of its form, counted from 1."""

    form: str
    ordinal: int


def form(request: str) -> str:
    """`POST objects/runs/{run}/plan.json`: method and path without what differs each time.

    A request is `METHOD PATH`, and the object's name behind it for an upload.
    """
    for variable, stands in VARIABLE:
        request = re.sub(variable, stands, request)
    return request


def steps(requests: Iterable[str]) -> list[Step]:
    """Each request as a step, in their order."""
    counts: Counter[str] = Counter()
    found = []
    for asked in map(form, requests):
        counts[asked] += 1
        found.append(Step(asked, counts[asked]))
    return found
