"""A backbone's weights that are a file of the user's: in the bucket, by their hash, for the job."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from ops import names
from ops.cloud import storage
from ops.errors import Code, OpsError
from ops.ledger import Ledger, Run
from ops.progress import Progress
from ops.settings import Settings

FLAG, FILE = "weights", "weights_file"
WORDS = ("imagenet", "none")
ENDINGS = (".weights.h5", ".keras", ".h5")


def file_of(flags: Mapping[str, str]) -> Path | None:
    """The file that the flags name, whole; None for a word or an object of a bucket.

    USAGE where it is none that Keras saved, NOT_FOUND where there is no such file.
    """
    given = flags.get(FLAG, WORDS[0])
    if given in WORDS or given.startswith("gs://"):
        return None
    path = Path(given).expanduser().absolute()
    if not path.name.endswith(ENDINGS):
        raise OpsError(
            Code.USAGE,
            f"--{FLAG} takes {', '.join(WORDS)} or a file of {', '.join(ENDINGS)}. "
            f"Received: {given}.",
            f"Type --{FLAG} {WORDS[0]}",
        )
    if not path.is_file():
        raise OpsError(Code.NOT_FOUND, f"There is no file {path}.", f"Give --{FLAG} another path.")
    return path


def here(flags: Mapping[str, str]) -> dict[str, str]:
    """The flags for a training on this machine: the file by its whole path."""
    path = file_of(flags)
    return {**flags, FLAG: str(path)} if path else dict(flags)


def planned(settings: Settings, flags: Mapping[str, str]) -> dict[str, Any]:
    """`flags` for a job, which has the file in the bucket, and where it is now, if there is one."""
    path = file_of(flags)
    if path is None:
        return {"flags": dict(flags)}
    ending = next(one for one in ENDINGS if path.name.endswith(one))
    with path.open("rb") as file:
        sha256 = hashlib.file_digest(file, "sha256").hexdigest()
    uri = names.gs_uri(settings.bucket, names.weights_object(sha256, ending))
    return {"flags": {**flags, FLAG: uri}, FILE: str(path)}


def ensure(ledger: Ledger, run: Run, progress: Progress) -> None:
    """The file of a run is in the bucket. NOT_FOUND when it is neither there nor here."""
    inputs = run.plan["inputs"]
    if FILE not in inputs:
        return
    bucket, name = names.parse_gs_uri(inputs["flags"][FLAG])
    path, session = Path(inputs[FILE]), ledger.session
    if any(one.name == name for one in storage.list_objects(session, bucket, name)):
        return
    if not path.is_file():
        raise OpsError(
            Code.NOT_FOUND,
            f"The weights of this training are neither in the bucket nor in {path}.",
            "Put the file back, then type the same command again.",
        )
    with progress.step("Uploading the weights", path.stat().st_size, "bytes"):
        storage.write_file(session, bucket, name, path)
