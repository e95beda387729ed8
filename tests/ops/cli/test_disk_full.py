"""A full disk, on the side of the local cloud: said as such, and nothing is lost."""

import json
import urllib.request
from pathlib import Path

from tests.ops.conftest import Ops


def script(url: str, method: str, *faults: dict[str, object]) -> None:
    """Ask the local cloud for faults (POST), or to forget them all (DELETE)."""
    request = urllib.request.Request(
        f"{url}/_emulator/faults", json.dumps(faults).encode(), method=method
    )
    request.add_header("content-type", "application/json")
    with urllib.request.urlopen(request):
        pass


def test_a_full_disk_is_said_and_the_same_command_goes_on_afterwards(
    ops: Ops, digits: Path
) -> None:
    """The import ends with the disk's own message; with space again it ends well."""
    url = ops("emulator", "start", "--json").json["result"]["url"]
    script(url, "POST", {"path_prefix": "/upload/", "disk_full": True, "times": 100_000})

    full = ops("import-dataset", str(digits))
    script(url, "DELETE")
    well = ops("import-dataset", str(digits), "--json")

    assert full.code == 6
    assert full.message.endswith(
        "\nError: The disk of the local cloud is full; nothing of this request was stored. Free "
        "some space and send it again (507).\n"
        "Free some space, then type the same command again: it takes up what exists.\n"
    )
    assert well.json["result"]["photos"] == 400
