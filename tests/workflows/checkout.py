"""A checkout as a runner finds it, with the set-up done."""

import shutil
import subprocess
import sys
from pathlib import Path

from tests.local_cloud import ROOT
from tests.ops.life import write_photos

SET_UP = ".setup-done"
# Where GitHub's image finds its programs; Terraform is none of them.
PATH = "/usr/bin:/bin"


def check_out(folder: Path) -> Path:
    """What `actions/checkout` leaves, photos of a user's in it, after `make setup`.

    The virtual environment is the one that runs the tests; its stamp is newer than what it was made
    from, so that `make setup` finds nothing to do.
    """
    command = ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"]
    names = subprocess.run(command, cwd=ROOT, check=True, capture_output=True, text=True).stdout
    for name in filter(None, names.split("\0")):
        if (ROOT / name).is_file():
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(ROOT / name, folder / name)
    own = folder / ".venv"
    own.mkdir()
    for part in Path(sys.prefix).iterdir():
        if part.name != SET_UP:
            (own / part.name).symlink_to(part)
    (own / SET_UP).touch()
    write_photos(folder / "photos")
    return folder
