"""The command line: `python -m emulator serve|stop|snapshot|restore`."""

from __future__ import annotations

import argparse
import ipaddress
import re
from pathlib import Path
from typing import Any

from emulator import __version__

DEFAULT_PORT = 8787
HOST_NAME = re.compile(r"[A-Za-z0-9]([A-Za-z0-9.-]{0,251}[A-Za-z0-9])?")
ENGINE = re.compile(r"(train|serve):[^=]+=.+", re.DOTALL)


def parse(arguments: list[str] | None = None) -> argparse.Namespace:
    """The options of a command; exits with 2 and a usage line when they make no sense."""
    parser = argparse.ArgumentParser(prog="python -m emulator", description=__doc__)
    parser.add_argument("--version", action="version", version=__version__)
    commands = parser.add_subparsers(dest="command", required=True)
    serve = commands.add_parser("serve", help="run the local Google Cloud until it is stopped")
    _add_address(serve)
    _add_behaviour(serve)
    _add_others(commands)
    options = parser.parse_args(arguments)
    if getattr(options, "run_user_code", False) and options.host not in ("127.0.0.1", "::1"):
        parser.error("--run-user-code is for 127.0.0.1 and ::1 only: its port runs programs")
    return options


def _add_others(commands: Any) -> None:
    """`snapshot`, `restore` and `stop`, of a folder whose server runs or not."""
    snapshot = commands.add_parser("snapshot", help="keep everything as it is now under a name")
    snapshot.add_argument("name", nargs="?", help="letters, digits, - and _ (none: list them)")
    snapshot.add_argument("--delete", action="store_true", help="forget this snapshot instead")
    restore = commands.add_parser("restore", help="make everything as it was in a snapshot")
    restore.add_argument("name")
    stop = commands.add_parser("stop", help="stop the server; its jobs go on unless told otherwise")
    stop.add_argument("--jobs", action="store_true", help="end its jobs and model servers too")
    for command in (snapshot, restore, stop):
        command.add_argument("--data", type=Path, metavar="DIR", help="the server's data folder")


def _add_address(serve: argparse.ArgumentParser) -> None:
    serve.add_argument(
        "--port",
        type=_port,
        default=DEFAULT_PORT,
        metavar="N",
        help=f"TCP port, 0 picks a free one (default {DEFAULT_PORT})",
    )
    serve.add_argument(
        "--host",
        type=_address,
        default="127.0.0.1",
        metavar="ADDRESS",
        help="address to listen on (default 127.0.0.1; any other is reached by other machines)",
    )
    serve.add_argument(
        "--allow-host",
        type=_host_name,
        action="append",
        default=[],
        metavar="NAME",
        help="a name that requests may use for this server, beside localhost; may be repeated",
    )
    where = serve.add_mutually_exclusive_group()
    where.add_argument(
        "--data",
        type=Path,
        metavar="DIR",
        help="folder where everything is kept (default: one in your user data folder)",
    )
    where.add_argument("--memory", action="store_true", help="keep nothing when the server stops")


def _add_behaviour(serve: argparse.ArgumentParser) -> None:
    serve.add_argument(
        "--project",
        action="append",
        default=[],
        metavar="ID",
        help="a project that exists; may be repeated (default: any id exists on first use)",
    )
    serve.add_argument(
        "--engine",
        action="append",
        default=[],
        type=_engine,
        metavar="KIND:PATTERN=COMMAND",
        help="command that trains or serves a task or an image; may be repeated",
    )
    serve.add_argument(
        "--require-auth",
        action="store_true",
        help="refuse requests without a token that this server can verify",
    )
    serve.add_argument(
        "--allow-keys",
        action="store_true",
        help="let anybody with the right make keys of service accounts (else an organization"
        " policy forbids it, as in organizations since May 2024)",
    )
    serve.add_argument(
        "--fsync", action="store_true", help="what is acknowledged survives loss of power"
    )
    serve.add_argument(
        "--seconds-per-node-hour",
        type=_positive,
        default=7.5,
        metavar="SECONDS",
        help="local seconds that stand for one node hour of AutoML (default 7.5)",
    )
    _add_custom_jobs(serve)


def _add_custom_jobs(serve: argparse.ArgumentParser) -> None:
    serve.add_argument(
        "--run-user-code",
        action="store_true",
        help="run Python packages that clients uploaded, on this machine and as this user",
    )
    serve.add_argument(
        "--image-pull-seconds",
        type=_positive,
        default=20.0,
        metavar="SECONDS",
        help="how long a job whose image nobody knows stays pending before it fails (default 20)",
    )
    serve.add_argument(
        "--build-seconds",
        type=_positive,
        default=1.0,
        metavar="SECONDS",
        help="how long a build of Cloud Build takes, which runs no Docker here (default 1)",
    )


def _port(text: str) -> int:
    if not text.isdigit() or int(text) > 65535:
        raise argparse.ArgumentTypeError(f"a port is a number from 0 to 65535, not {text!r}")
    return int(text)


def _address(text: str) -> str:
    try:
        return str(ipaddress.ip_address("127.0.0.1" if text == "localhost" else text))
    except ValueError:
        raise argparse.ArgumentTypeError(f"not an IP address: {text!r}") from None


def _host_name(text: str) -> str:
    if not HOST_NAME.fullmatch(text):
        raise argparse.ArgumentTypeError(f"not a host name: {text!r}")
    return text.lower()


def _engine(text: str) -> str:
    if not ENGINE.fullmatch(text):
        raise argparse.ArgumentTypeError(
            f"expected train:PATTERN=COMMAND or serve:PATTERN=COMMAND, not {text!r}"
        )
    return text


def _positive(text: str) -> float:
    try:
        seconds = float(text)
    except ValueError:
        seconds = 0.0
    if not 0 < seconds < float("inf"):
        raise argparse.ArgumentTypeError(f"expected seconds above 0, not {text!r}")
    return seconds
