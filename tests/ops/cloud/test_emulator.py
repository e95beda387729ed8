"""The local Google Cloud as a process: real servers in folders of their own."""

import json
import os
import signal
import socket
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from ops.cloud import emulator
from ops.errors import Code, OpsError
from tests.local_cloud import wait_until


@pytest.fixture
def data(tmp_path: Path) -> Iterator[Path]:
    """A data folder whose server, if one runs, is stopped at the end."""
    yield tmp_path / "data"
    emulator.stop(tmp_path / "data")


def test_a_server_is_started_once_and_found_again(data: Path) -> None:
    """The second call finds what the first one started."""
    assert emulator.find(data) is None

    first = emulator.ensure(data)

    assert emulator.ensure(data) == emulator.find(data) == first
    assert first.url == f"http://127.0.0.1:{first.port}"


def test_four_at_once_end_with_one_server(data: Path) -> None:
    """Callers that start together share one server."""
    with ThreadPoolExecutor(4) as pool:
        servers = set(pool.map(lambda _: emulator.ensure(data), range(4)))

    assert len(servers) == 1


def test_a_killed_server_is_started_again_on_its_port(data: Path) -> None:
    """After kill -9 the next call starts it again, where its clients look for it."""
    killed = emulator.ensure(data)
    os.kill(killed.pid, signal.SIGKILL)
    wait_until(lambda: emulator.find(data) is None)

    again = emulator.ensure(data)

    assert again.pid != killed.pid and again.port == killed.port


def test_stop_ends_the_process(data: Path) -> None:
    """After stop none runs, and stopping again says that there was none."""
    server = emulator.ensure(data)

    assert emulator.stop(data) == server
    assert emulator.find(data) is None
    assert emulator.stop(data) is None


def test_a_pid_that_means_another_process_now_is_not_the_server(data: Path) -> None:
    """A record left behind, whose pid was given to another process, is not believed."""
    data.mkdir()
    record = {"pid": os.getpid(), "process_started": 1.0, "port": 1, "url": "x", "version": "x"}
    (data / emulator.SERVER_FILE).write_text(json.dumps(record))

    assert emulator.find(data) is None


def test_a_port_in_use_is_said(data: Path) -> None:
    """The message names the port, and the hint the variable to set."""
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        with pytest.raises(OpsError) as refused:
            emulator.ensure(data, port)

    assert refused.value.code is Code.PORT_IN_USE
    assert refused.value.message == (
        f"Port {port} is in use by another program, so the local Google Cloud cannot start on it."
    )
    assert refused.value.hint == (
        "Set OPS_EMULATOR_PORT to another port, or to 0 for any free one."
    )


def test_a_server_that_ends_at_once_shows_its_last_words(data: Path) -> None:
    """The last lines of its log are in the message."""
    program = "import sys; print('no room', file=sys.stderr); sys.exit(3)"

    with pytest.raises(OpsError) as refused:
        emulator.start(data, command=[sys.executable, "-c", program])

    assert refused.value.code is Code.EMULATOR_DIED
    assert refused.value.message == (
        "The local Google Cloud ended with exit code 3 before it was ready. "
        f"The end of {data / 'server.log'}:\nno room"
    )
    assert refused.value.hint == "Type: ops doctor"


def test_a_server_that_ends_without_a_word_shows_the_free_space(data: Path) -> None:
    """An old log is not taken for its words; the free bytes of the disk are in the message."""
    data.mkdir()
    (data / emulator.LOG_FILE).write_text("of another day\n")

    with pytest.raises(OpsError) as refused:
        emulator.start(data, command=[sys.executable, "-c", "raise SystemExit(1)"])

    said = refused.value.message
    assert f"It wrote nothing to {data / 'server.log'}; that disk has " in said
    assert said.endswith(" bytes free.")
    assert "of another day" not in said


def test_a_server_of_another_version_is_refused(data: Path) -> None:
    """The message has both versions; the hint keeps what is stored."""
    server = emulator.ensure(data)
    record = json.loads((data / emulator.SERVER_FILE).read_text())
    (data / emulator.SERVER_FILE).write_text(json.dumps({**record, "version": "0.0.1"}))

    with pytest.raises(OpsError) as refused:
        emulator.ensure(data)

    assert refused.value.code is Code.EMULATOR_VERSION
    assert refused.value.message == (
        f"The local Google Cloud that runs on {data} is version 0.0.1; this is ops "
        f"{server.version}."
    )
