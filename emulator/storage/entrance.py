"""What the server's door asks of Cloud Storage, before anybody knows which call a request is."""

from __future__ import annotations

from emulator.errors import ApiError
from emulator.storage.api import StorageApi
from emulator.storage.errors import from_api_error
from emulator.storage.http import send_reply
from emulator.storage.upload_sessions import is_session
from emulator.storage.xml.api import XmlApi, refusal
from emulator.web import Scope, Send


class Entrance:
    """The two APIs of Cloud Storage, seen from outside."""

    def __init__(self, storage: StorageApi, xml: XmlApi) -> None:
        self._storage = storage
        self._xml = xml

    def proves(self, scope: Scope) -> bool:
        """Whether a request proves itself, by a signature or a secret address that are checked."""
        return is_session(scope) or self._xml.authenticates(scope)

    def is_xml(self, scope: Scope) -> bool:
        """Whether a request is one of the XML API."""
        path = scope["path"]
        return path.startswith("/") and not self._storage.claims(path) and self._xml.claims(scope)

    def may_be_public(self, scope: Scope) -> bool:
        """Whether a request reads what a bucket or an object may let everybody read."""
        reads = scope["method"] in ("GET", "HEAD")
        return reads and (self._storage.claims(scope["path"]) or self.is_xml(scope))

    async def refuse(self, scope: Scope, send: Send, error: ApiError) -> None:
        """Answers a request of the XML API with a refusal in its form."""
        reply = refusal(from_api_error(error))
        await send_reply(send, reply, head=scope["method"] == "HEAD")
