"""Python runs this at its start when the folder is on PYTHONPATH: it writes down who is called.

NETWORK_LOG names a file; each name looked up and each address connected to is a line of it.
"""

import os
import socket
import sys
from pathlib import Path
from typing import Any


def _watch(event: str, facts: tuple[Any, ...]) -> None:
    if event in ("socket.getaddrinfo", "socket.gethostbyname"):
        _note(f"look-up {facts[0]}")
    elif event == "socket.connect" and facts[0].family != socket.AF_UNIX:
        _note(f"connect {facts[1][0]}:{facts[1][1]}")


def _note(line: str) -> None:
    with Path(os.environ["NETWORK_LOG"]).open("a", encoding="utf-8") as log:
        log.write(line + "\n")


if os.environ.get("NETWORK_LOG"):
    sys.addaudithook(_watch)
