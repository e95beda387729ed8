"""Cloud Storage's JSON API as an ASGI app."""

from __future__ import annotations

from emulator.cloud import Cloud
from emulator.web import Receive, Scope, Send, answer_json


class StorageApi:
    def __init__(self, cloud: Cloud) -> None:
        self._cloud = cloud

    def claims(self, path: str) -> bool:
        return path.startswith(("/storage/v1/", "/upload/storage/v1/"))

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        await answer_json(send, 501, {})
