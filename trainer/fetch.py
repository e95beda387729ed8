"""Brings the files of a `gs://` location here: the one place of the trainer with a storage client.

Google's own client is used as it is: with `STORAGE_EMULATOR_HOST` it talks to a local server, and
to Google otherwise, as the account of Application Default Credentials.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from functools import cache
from pathlib import Path, PurePosixPath
from typing import Any

from trainer.errors import FetchError, StorageError
from trainer.paths import SCHEME

EMULATOR_HOST = "STORAGE_EMULATOR_HOST"
CREDENTIALS = "GOOGLE_APPLICATION_CREDENTIALS"
SCOPE = "https://www.googleapis.com/auth/devstorage.read_only"
THREADS = 4


def fetch(uri: str, folder: Path, environ: Mapping[str, str] = os.environ) -> Path:
    """A local folder with every file below `uri`: the location itself if it is a plain path.

    Raises FetchError if nothing is there or it cannot be read.
    """
    if not uri.startswith(SCHEME):
        if not Path(uri).is_dir():
            raise FetchError(f"There is no folder {uri}.")
        return Path(uri)
    bucket, _, prefix = uri.removeprefix(SCHEME).partition("/")
    prefix = prefix.rstrip("/") + "/" if prefix.strip("/") else ""
    try:
        blobs = list(_client(environ).list_blobs(bucket, prefix=prefix))
        _download(blobs, prefix, folder)
    except FetchError:
        raise
    except Exception as error:  # the client's errors have no common base
        raise FetchError(f"{uri} cannot be read: {type(error).__name__}: {error}") from error
    return folder


def reader(environ: Mapping[str, str] = os.environ) -> Callable[[str], bytes]:
    """What gives the bytes of one `gs://` object; its FetchError says why it cannot be read.

    It is a StorageError where the address is not at fault.
    """
    # Made when first needed: who never reads an address needs no credentials.
    client = cache(lambda: _client(environ))

    def read(uri: str) -> bytes:
        bucket, _, name = uri.removeprefix(SCHEME).partition("/")
        try:
            content: bytes = client().bucket(bucket).blob(name).download_as_bytes()
        except Exception as error:  # the client's errors have no common base
            kind = FetchError if _blames_address(error) else StorageError
            raise kind(f"{uri} cannot be read: {type(error).__name__}: {error}") from error
        return content

    return read


def _blames_address(error: Exception) -> bool:
    """Whether an error of the client is about what was asked for, and not about who asks."""
    from google.api_core import exceptions
    from google.auth.exceptions import GoogleAuthError

    whoever = (exceptions.Unauthorized, exceptions.TooManyRequests, GoogleAuthError)
    about = (exceptions.ClientError, ValueError)
    # Errors of connections are OSErrors; some of them, and of credentials, are ValueErrors too.
    return isinstance(error, about) and not isinstance(error, (*whoever, OSError))


def _download(blobs: list[Any], prefix: str, folder: Path) -> None:
    files = [blob for blob in blobs if not blob.name.endswith("/")]
    if not files:
        raise FetchError(f"No object begins with {prefix!r}. Deploy a model that was exported.")
    with ThreadPoolExecutor(THREADS) as pool:
        list(pool.map(lambda blob: _download_one(blob, prefix, folder), files))


def _download_one(blob: Any, prefix: str, folder: Path) -> None:
    name = PurePosixPath(blob.name.removeprefix(prefix))
    if ".." in name.parts or name.is_absolute():
        raise FetchError(f"The object {blob.name!r} would be written outside its folder.")
    target = folder / name
    target.parent.mkdir(parents=True, exist_ok=True)
    blob.download_to_filename(str(target))


def _client(environ: Mapping[str, str]) -> Any:
    from google.auth import credentials
    from google.cloud.storage import Client
    from google.oauth2 import service_account

    if not environ.get(EMULATOR_HOST):
        return Client()
    if not environ.get(CREDENTIALS):
        nobody: Any = credentials.AnonymousCredentials
        return Client(project="local", credentials=nobody())
    # With an emulator host the client would go without credentials unless it is handed some.
    kind: Any = service_account.Credentials
    account = kind.from_service_account_file(environ[CREDENTIALS], scopes=[SCOPE])
    return Client(project=account.project_id, credentials=account)
