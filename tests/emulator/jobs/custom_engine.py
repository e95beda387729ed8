"""A container for tests: does what its arguments say, one after the other, in the custom job.

`write gs://b/o TEXT`, `copy gs://b/from gs://b/to`, `hold gs://b/o TEXT` (writes and keeps open),
`release`, `rename gs://b/from gs://b/to`, `remove gs://b/o`, `say TEXT`, `log JSON`, `mutter TEXT`
(standard error), `first gs://b/list.jsonl gs://b/to` (copies what the first row names), `wait NAME`
(until there is such a file beside the mount), `sleep SECONDS`, `environ gs://b/o` (all variables as
JSON), `clients gs://b/o` (reads and writes beside it with Google's client and with gcsfs, and
prints how that went), `raise TEXT`, `exit CODE`, `kill`.
"""

import json
import os
import shutil
import signal
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import TextIO


def local(uri: str) -> Path:
    """Where a `gs://` address is in the mount."""
    return Path(os.environ["GCS_MOUNT"], *uri.removeprefix("gs://").split("/"))


def place(uri: str) -> Path:
    """The same, with its folder made."""
    path = local(uri)
    path.parent.mkdir(parents=True, exist_ok=True)
    return path


def main(words: list[str]) -> None:
    """Every action, in order."""
    held: list[TextIO] = []
    waiting = iter(words)
    for action in waiting:
        match action:
            case "write":
                place(next(waiting)).write_text(next(waiting))
            case "first":
                row = json.loads(local(next(waiting)).read_text().splitlines()[0])
                shutil.copyfile(local(row["uri"]), place(next(waiting)))
            case "hold":
                held.append(place(next(waiting)).open("w"))
                held[-1].write(next(waiting))
                held[-1].flush()
            case "release":
                held.pop().close()
            case "copy":
                source = local(next(waiting))
                shutil.copyfile(source, place(next(waiting)))
            case "rename":
                local(next(waiting)).rename(place(next(waiting)))
            case "remove":
                local(next(waiting)).unlink()
            case "say":
                print(next(waiting), flush=True)
            case "log":
                print(json.dumps(json.loads(next(waiting))), flush=True)
            case "mutter":
                print(next(waiting), file=sys.stderr, flush=True)
            case "wait":
                until(Path(os.environ["GCS_MOUNT"]).parent / next(waiting))
            case "sleep":
                time.sleep(float(next(waiting)))
            case "environ":
                place(next(waiting)).write_text(json.dumps(dict(os.environ)))
            case "clients":
                print(" ".join(asked(*next(waiting).removeprefix("gs://").split("/", 1))))
            case "raise":
                raise RuntimeError(next(waiting))
            case "exit":
                sys.exit(int(next(waiting)))
            case "kill":
                os.kill(os.getpid(), signal.SIGKILL)
            case _:
                sys.exit(f"unknown action {action}")


def asked(bucket: str, name: str) -> list[str]:
    """How a client of each kind fared: the bytes it read, or its error; then of its writing."""
    import gcsfs
    from google.cloud import storage

    files = gcsfs.GCSFileSystem()
    blobs = storage.Client().bucket(bucket)
    attempts: list[Callable[[], object]] = [
        lambda: blobs.blob(name).download_as_bytes().decode(),
        lambda: blobs.blob(f"{name}.client").upload_from_string("x") or "written",
        lambda: files.cat_file(f"{bucket}/{name}").decode(),
        lambda: files.pipe_file(f"{bucket}/{name}.gcsfs", b"x") and "written",
    ]
    return [outcome(attempt) for attempt in attempts]


def outcome(attempt: Callable[[], object]) -> str:
    """What it gave, or the name of its error."""
    try:
        return str(attempt())
    except Exception as problem:
        return type(problem).__name__


def until(path: Path) -> None:
    """Returns once the file is there."""
    while not path.exists():
        time.sleep(0.02)


if __name__ == "__main__":
    main(sys.argv[1:])
