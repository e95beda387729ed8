"""`python -m emulator snapshot|restore`: by the folder's server where one runs, else directly."""

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path
from typing import Any
from urllib.error import HTTPError
from urllib.parse import quote
from urllib.request import ProxyHandler, Request, build_opener

from emulator.accounts import kept_account
from emulator.clock import SystemClock
from emulator.cloud import Cloud, ServerSettings
from emulator.errors import ApiError, StartError
from emulator.folder import DataFolder, read_json
from emulator.tokens import Tokens

Body = dict[str, Any]
MEBIBYTE = 1 << 20


class _Server:
    """The server that holds a data folder, asked as the folder's own account."""

    def __init__(self, url: str, folder: Path) -> None:
        self._url = url
        self._token = _token(url, folder)

    def send(self, method: str, path: str, name: str | None = None) -> Body:
        """Its answer. StartError, in its own words, where it refuses."""
        data = None if name is None else json.dumps({"name": name}).encode()
        headers = {"Authorization": f"Bearer {self._token}"} if self._token else {}
        request = Request(f"{self._url}/_emulator/{path}", data, headers, method=method)
        try:
            with build_opener(ProxyHandler({})).open(request) as answer:
                body: Body = json.loads(answer.read())
                return body
        except HTTPError as error:
            raise StartError(json.loads(error.read())["error"]["message"]) from None


def _token(url: str, folder: Path) -> str:
    """An access token by the key of the data folder; empty where there is none."""
    own = kept_account(folder)
    return "" if own is None else Tokens(own, SystemClock(), url).issue(own.email)


def run(options: argparse.Namespace, path: Path) -> int:
    """Does what was asked and prints it; 1 with a sentence when it cannot be done."""
    if options.command == "snapshot" and options.delete and not options.name:
        raise StartError("snapshot --delete needs the name of one. Without --delete: the list.")
    try:
        if not (path / "emulator.sqlite").exists():
            raise StartError(f"There is no server's data in {path}.")
        found = _ask(options, path)
    except (ApiError, StartError) as error:
        raise StartError(f"{error}{_hint(options, path)}") from None
    for body in found:
        print(_line(body))
    if not found and options.command == "snapshot" and options.name is None:
        print(f"No snapshots in {path}.{_hint(options, path)}", file=sys.stderr)
    return 0


def _hint(options: argparse.Namespace, path: Path) -> str:
    """What to type for the server of another folder, where none was named."""
    if options.data is not None:
        return ""
    return f" Looked in {path}; --data DIR names the folder of another server."


def _ask(options: argparse.Namespace, path: Path) -> list[Body]:
    try:
        folder = DataFolder(path)
    except StartError:
        server = read_json(path / "server.json")
        if server is None:
            raise
        return _by_server(options, _Server(server["url"], path))
    try:
        return _directly(options, path)
    finally:
        folder.release()


def _directly(options: argparse.Namespace, path: Path) -> list[Body]:
    from emulator.app import close_cloud, open_cloud

    cloud = open_cloud(ServerSettings(data_dir=path))
    try:
        return _do(options, cloud)
    finally:
        close_cloud(cloud)


def _do(options: argparse.Namespace, cloud: Cloud) -> list[Body]:
    from emulator.control import snapshots

    if options.command == "restore":
        return [snapshots.restore(cloud, options.name)]
    if options.name is None:
        return snapshots.listed(cloud)
    if options.delete:
        snapshots.delete(cloud, options.name)
        return []
    return [snapshots.take(cloud, options.name)]


def _by_server(options: argparse.Namespace, server: _Server) -> list[Body]:
    if options.command == "restore":
        return [server.send("POST", "restore", options.name)["snapshot"]]
    if options.name is None:
        found: list[Body] = server.send("GET", "snapshot")["snapshots"]
        return found
    if options.delete:
        server.send("DELETE", f"snapshot/{quote(options.name, safe='')}")
        return []
    return [server.send("POST", "snapshot", options.name)["snapshot"]]


def _line(body: Body) -> str:
    size = f"{body['sizeBytes'] / MEBIBYTE:,.1f} MiB"
    what = f"{body['buckets']} buckets, {body['objects']} objects, {body['resources']} resources"
    return f"{body['name']}  {body['createTime']}  {what}, {size}"
