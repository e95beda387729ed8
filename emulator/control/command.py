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

from emulator.cloud import Cloud, ServerSettings
from emulator.errors import ApiError, StartError
from emulator.folder import DataFolder, read_json

Body = dict[str, Any]
MEBIBYTE = 1 << 20


def run(options: argparse.Namespace, path: Path) -> int:
    """Does what was asked and prints it; 1 with a sentence when it cannot be done."""
    if options.command == "snapshot" and options.delete and not options.name:
        raise StartError("snapshot --delete needs the name of one. Without --delete: the list.")
    try:
        if not (path / "emulator.sqlite").exists():
            raise StartError(f"There is no server's data in {path}. Give the folder with --data.")
        found = _ask(options, path)
    except ApiError as error:
        raise StartError(error.message) from None
    for body in found:
        print(_line(body))
    if not found and options.command == "snapshot" and not options.name:
        print(f"No snapshots in {path}.", file=sys.stderr)
    return 0


def _ask(options: argparse.Namespace, path: Path) -> list[Body]:
    try:
        folder = DataFolder(path)
    except StartError:
        server = read_json(path / "server.json")
        if server is None:
            raise
        return _by_server(options, server["url"])
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
    if not options.name:
        return snapshots.listed(cloud)
    if options.delete:
        snapshots.delete(cloud, options.name)
        return []
    return [snapshots.take(cloud, options.name)]


def _by_server(options: argparse.Namespace, url: str) -> list[Body]:
    if options.command == "restore":
        return [_send(url, "POST", "restore", options.name)["snapshot"]]
    if not options.name:
        found: list[Body] = _send(url, "GET", "snapshot")["snapshots"]
        return found
    if options.delete:
        _send(url, "DELETE", f"snapshot/{quote(options.name, safe='')}")
        return []
    return [_send(url, "POST", "snapshot", options.name)["snapshot"]]


def _send(url: str, method: str, path: str, name: str | None = None) -> Body:
    data = None if name is None else json.dumps({"name": name}).encode()
    request = Request(f"{url}/_emulator/{path}", data, method=method)
    try:
        with build_opener(ProxyHandler({})).open(request) as answer:
            body: Body = json.loads(answer.read())
            return body
    except HTTPError as error:
        raise StartError(json.loads(error.read())["error"]["message"]) from None


def _line(body: Body) -> str:
    size = f"{body['sizeBytes'] / MEBIBYTE:,.1f} MiB"
    what = f"{body['buckets']} buckets, {body['objects']} objects, {body['resources']} resources"
    return f"{body['name']}  {body['createTime']}  {what}, {size}"
