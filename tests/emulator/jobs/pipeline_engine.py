"""A container for tests of pipelines: does what its arguments say, one after the other.

`write PATH TEXT`, `copy PATH PATH`, `input JSON PATH` (writes the parameters of an executor input),
`wait NAME` (until there is such a file in the jobs' folder), `fail-once NAME` (exits with 4 unless
that file is there, and leaves it), `exit CODE`.
"""

import json
import os
import shutil
import sys
import time
from pathlib import Path


def place(path: str) -> Path:
    """The path, with its folder made."""
    Path(path).parent.mkdir(parents=True, exist_ok=True)
    return Path(path)


def main(words: list[str]) -> None:
    """Every action, in order."""
    jobs = Path(os.environ["GCS_MOUNT"]).parent.parent
    waiting = iter(words)
    for action in waiting:
        match action:
            case "write":
                place(next(waiting)).write_text(next(waiting))
            case "copy":
                source = next(waiting)
                shutil.copyfile(source, place(next(waiting)))
            case "input":
                given = json.loads(next(waiting))["inputs"]["parameterValues"]
                place(next(waiting)).write_text(json.dumps(given))
            case "wait":
                until(jobs / next(waiting))
            case "fail-once":
                mark = jobs / next(waiting)
                if not mark.exists():
                    mark.touch()
                    sys.exit(4)
            case "exit":
                sys.exit(int(next(waiting)))
            case _:
                sys.exit(f"unknown action {action}")


def until(path: Path) -> None:
    """Returns once the file is there."""
    while not path.exists():
        time.sleep(0.02)


if __name__ == "__main__":
    main(sys.argv[1:])
