"""Start-up: lock the folder, bind the port, open the store, print the ready line, serve."""

from __future__ import annotations

import argparse
import errno
import gc
import logging
import os
import shutil
import signal
import socket
import sqlite3
import sys
import tempfile
from pathlib import Path
from types import FrameType
from typing import TYPE_CHECKING

from emulator.arguments import parse
from emulator.cloud import ServerSettings
from emulator.connection_limits import limited
from emulator.corked import corked
from emulator.errors import StartError
from emulator.failures import is_disk_full
from emulator.folder import DataFolder
from emulator.resourcemanager.projects import ID

if TYPE_CHECKING:
    import uvicorn

BACKLOG = 1024
# As long as Google's front end: a client that reuses a connection must not meet its end.
KEEP_ALIVE_SECONDS = 600
GRACE_SECONDS = 5

RUNS_USER_CODE = (
    "--run-user-code: uploaded Python packages run on this machine, as this user, with everything "
    "this user may do. Every program that can reach this port can make them run."
)

NOT_LOOPBACK = (
    "--host {host}: other machines can reach this port. Nothing is encrypted, and every program "
    "that reaches it can read and change everything here and start jobs on this machine, as this "
    "user. Use it on a network of your own, with --require-auth, or use 127.0.0.1."
)

log = logging.getLogger("emulator")


def main(arguments: list[str] | None = None) -> int:
    """Serves until stopped, or does another command; the process's exit code."""
    options = parse(arguments)
    os.umask(0o077)  # keys, database and photos are this user's alone
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, _stop)
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(levelname)s %(message)s")
    try:
        if options.command == "stop":
            from emulator.control import stopping

            return stopping.run(options, folder_of(options))
        if options.command != "serve":
            from emulator.control.command import run

            return run(options, folder_of(options))
        serve(options)
    except StartError as error:
        print(f"emulator: {error}", file=sys.stderr)
        return 1
    except (OSError, sqlite3.OperationalError) as error:
        if not is_disk_full(error):
            raise
        print(f"emulator: The disk is full ({error}). Free some space.", file=sys.stderr)
        return 1
    return 0


def serve(options: argparse.Namespace) -> None:
    """Runs one server as the options say. StartError when it cannot start."""
    path = Path(tempfile.mkdtemp(prefix="emulator-")) if options.memory else folder_of(options)
    try:
        folder = DataFolder(path)
        try:
            with bind(options.host, options.port) as listener:
                _run(settings_from(options, path, listener), folder, listener)
        finally:
            folder.release()
    finally:
        if options.memory:
            shutil.rmtree(path, ignore_errors=True)


def bind(host: str, port: int) -> socket.socket:
    """A listening-ready socket. StartError when the port is taken."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    listener = socket.socket(family, socket.SOCK_STREAM)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listener.bind((host, port))
    except OSError as error:
        listener.close()
        what = "is in use" if error.errno == errno.EADDRINUSE else f"cannot be had ({error})"
        raise StartError(
            f"Port {port} of {host} {what}. Give another with --port, or --port 0 for a free one."
        ) from None
    return listener


def settings_from(
    options: argparse.Namespace, path: Path, listener: socket.socket
) -> ServerSettings:
    """The settings of a server that will listen on this socket. StartError for no project id."""
    for project in options.project:
        if not ID.fullmatch(project):
            raise StartError(
                "A project id has lower-case letters, digits and hyphens. "
                f"Received: --project {project!r}."
            )
    return ServerSettings(
        data_dir=path,
        host=options.host,
        port=listener.getsockname()[1],
        projects=tuple(options.project),
        engines=tuple(options.engine),
        require_auth=options.require_auth,
        fsync=options.fsync,
        seconds_per_node_hour=options.seconds_per_node_hour,
        memory=options.memory,
        run_user_code=options.run_user_code,
        image_pull_seconds=options.image_pull_seconds,
        build_seconds=options.build_seconds,
        allowed_hosts=tuple(options.allow_host),
        allow_keys=options.allow_keys,
    )


def _stop(_number: int, _frame: FrameType | None) -> None:
    """Ends the process by way of every `finally`, so that the folder is left clean."""
    raise SystemExit(0)


def folder_of(options: argparse.Namespace) -> Path:
    """The data folder that was asked for, or the user's own."""
    if options.data is not None:
        return Path(options.data).resolve()
    import platformdirs

    return platformdirs.user_data_path("local-google-cloud")


def _run(settings: ServerSettings, folder: DataFolder, listener: socket.socket) -> None:
    from emulator.app import build_app, close_cloud, open_cloud

    cloud = open_cloud(settings)
    try:
        folder.announce(settings)
        log.info("data folder %s", settings.data_dir)
        if settings.run_user_code:
            log.warning(RUNS_USER_CODE)
        if not settings.is_loopback:
            log.warning(NOT_LOOPBACK.format(host=settings.host))
        app = build_app(cloud)
        _collect_less()
        _server(app, settings).run(sockets=[listener])
    finally:
        close_cloud(cloud)


def _collect_less() -> None:
    """Leaves what the start has made out of Python's collections, and makes those rarer.

    A request makes no cycles; looking for some took 5 % of a get (`bench storage_load`).
    """
    gc.collect()
    gc.freeze()
    gc.set_threshold(50_000, 20, 50)


def _server(app: object, settings: ServerSettings) -> uvicorn.Server:
    import uvicorn
    from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

    class Server(uvicorn.Server):
        """Says `ready` once requests are accepted."""

        async def startup(self, sockets: list[socket.socket] | None = None) -> None:
            await super().startup(sockets)
            if self.started:
                print(f"ready {settings.base_url}", flush=True)

    return Server(
        uvicorn.Config(
            app,  # type: ignore[arg-type]
            http=corked(limited(HttpToolsProtocol)),
            loop="uvloop" if sys.platform != "win32" else "asyncio",
            ws="none",
            lifespan="on",
            access_log=False,
            log_config=None,
            log_level="warning",
            proxy_headers=False,
            server_header=False,
            backlog=BACKLOG,
            timeout_keep_alive=KEEP_ALIVE_SECONDS,
            timeout_graceful_shutdown=GRACE_SECONDS,
        )
    )
