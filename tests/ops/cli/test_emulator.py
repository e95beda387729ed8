"""`ops emulator`, `ops runs`, `ops status` and `ops doctor` as a user types them."""

import json
import os
import signal
import socket
from pathlib import Path
from urllib.request import Request, urlopen

from tests.ops.conftest import Ops

HEADING = "target local (default), project local-project (default), stack default (default)\n"


def test_the_life_of_the_local_cloud(ops: Ops, tmp_path: Path) -> None:
    """Started, found, emptied and stopped, each as one JSON document."""
    data = tmp_path / "emulator"
    before = ops("emulator", "status")
    started = ops("emulator", "start", "--json")
    found = ops("emulator", "status", "--json")
    emptied = ops("emulator", "reset", "--yes", "--json")
    stopped = ops("emulator", "stop")
    again = ops("emulator", "stop")

    assert before.out == f"Not running; its data is in {data}\n"
    assert started.json["result"] == found.json["result"] == emptied.json["result"]
    assert started.json["command"] == "emulator start"
    assert started.json["result"]["data"] == str(data)
    assert "STORAGE_EMULATOR_HOST=" in Path(started.json["result"]["env"]).read_text()
    assert stopped.out == f"Stopped the one at {started.json['result']['url']}.\n"
    assert again.out == "None was running.\n"
    assert {ran.err for ran in (before, started, emptied, again)} == {HEADING}


def test_emptying_is_asked_for_first(ops: Ops, tmp_path: Path) -> None:
    """Nobody at the terminal and no --yes: refused, and nothing is started."""
    refused = ops("emulator", "reset")

    assert (refused.code, refused.out) == (5, "")
    assert refused.err == (
        f"{HEADING}Error: Delete all stacks and all that is stored in {tmp_path / 'emulator'}? "
        "Nobody is at the terminal to answer.\nAdd --yes to agree.\n"
    )
    assert ops("emulator", "status", "--json").json["result"] == {"running": False}


def test_emptying_one_that_is_stopped_leaves_it_stopped(ops: Ops, tmp_path: Path) -> None:
    """It is started for that only, and what was stored is gone."""
    url = ops("emulator", "start", "--json").json["result"]["url"]
    body = b'{"name": "of-another-day"}'
    urlopen(Request(f"{url}/storage/v1/b?project=local-project", body, method="POST")).close()
    ops("emulator", "stop")

    emptied = ops("emulator", "reset", "--yes")
    found = ops("emulator", "status", "--json").json["result"]
    url = ops("emulator", "start", "--json").json["result"]["url"]

    assert emptied.out == f"Empty. Not running; its data is in {tmp_path / 'emulator'}\n"
    assert found == {"running": False}
    with urlopen(f"{url}/storage/v1/b?project=local-project") as answer:
        assert json.load(answer).get("items", []) == []


def test_a_fresh_stack_says_that_it_has_nothing(ops: Ops) -> None:
    """Every command that looks says so and makes nothing; the teardown ends with 0."""
    said = [ops(name).out for name in ("runs", "status", "cost-report", "teardown")]

    assert said == [
        "No runs yet.\n",
        "Stack default has nothing.\n",
        "Nothing ran yet: $0.00.\n",
        "Stack default has nothing: nothing to delete, nothing billed.\n",
    ]


def test_a_killed_local_cloud_is_started_again_by_the_next_command(ops: Ops) -> None:
    """After kill -9 nobody has to know: the next command works."""
    killed = ops("emulator", "start", "--json").json["result"]
    os.kill(killed["pid"], signal.SIGKILL)

    ran = ops("runs", "--json")
    found = ops("emulator", "status", "--json").json["result"]

    assert (ran.code, ran.json["result"]) == (0, {"runs": []})
    assert (found["url"], found["pid"] == killed["pid"]) == (killed["url"], False)


def test_a_port_in_use_is_said(ops: Ops) -> None:
    """By the command that needs it, and by doctor, which says the same fix."""
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = str(taken.getsockname()[1])
        refused = ops("status", OPS_EMULATOR_PORT=port)
        doctor = ops("doctor", "--json", OPS_EMULATOR_PORT=port)

    assert refused.code == 6
    assert refused.err == (
        f"{HEADING}Error: Port {port} is in use by another program, so the local Google Cloud "
        "cannot start on it.\n"
        "Set OPS_EMULATOR_PORT to another port, or to 0 for any free one.\n"
    )
    failures = [c for c in doctor.json["result"]["checks"] if c["level"] == "failure"]
    assert doctor.code == 1
    assert failures == [
        {
            "name": "Local cloud",
            "level": "failure",
            "found": f"not running, and port {port} is in use by another program",
            "fix": "Set OPS_EMULATOR_PORT to another port, or to 0 for any free one.",
        }
    ]


def test_doctor_is_well_here(ops: Ops) -> None:
    """Where everything is installed, doctor ends with 0 and starts nothing."""
    assert ops("doctor").code == 0
    assert ops("emulator", "status", "--json").json["result"] == {"running": False}
