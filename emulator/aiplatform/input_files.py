"""The addresses of input files, with their wildcards worked out."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from fnmatch import fnmatchcase

from emulator.aiplatform.import_files import RowError
from emulator.aiplatform.photos import split_uri
from emulator.cloud import Cloud
from emulator.errors import ApiError
from emulator.storage import objects


def expand(cloud: Cloud, uris: Iterable[str]) -> Iterator[str]:
    """Each address; a wildcard stands for any characters, as in Cloud Storage (GcsSource.uris).

    NOT_FOUND where no object matches.
    """
    for uri in uris:
        if "*" not in uri:
            yield uri
            continue
        try:
            bucket, pattern = split_uri(uri)
        except RowError as problem:
            raise ApiError("INVALID_ARGUMENT", str(problem)) from None
        found = [
            name
            for name in objects.list_names(cloud, bucket, pattern.partition("*")[0])
            if fnmatchcase(name, pattern)
        ]
        if not found:
            raise ApiError("NOT_FOUND", f'No file matches "{uri}".')
        yield from (f"gs://{bucket}/{name}" for name in found)
