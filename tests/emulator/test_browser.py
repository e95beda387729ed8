"""Debian's Chromium before the server: what pages may show, and that none of them drives it."""

from __future__ import annotations

import functools
import http.server
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import quote
from uuid import uuid4

import google.oauth2.service_account
import httpx
import pytest
from google.cloud.storage import Bucket

from tests.emulator.conftest import PROJECT
from tests.local_cloud import LocalCloud

CHROMIUM = Path("/usr/bin/chromium")
PAGE_MS = 20_000
# Tries, with what rights its page has, to make a bucket in every way that a page knows.
SCRIPT = """<script>
const path = '/storage/v1/b?project=PROJECT', body = JSON.stringify({name: 'BUCKET'});
const ask = (more) => fetch(path, {method: 'POST', body, ...more}).catch(() => 0);
Promise.all([ask({}), ask({mode: 'no-cors'}), fetch(path).catch(() => 0)]).then((all) => {
  document.title = self.origin + ' ' + all.map((one) => one.status || 0).join(' ');
});
</script>"""
SVG = f'<svg xmlns="http://www.w3.org/2000/svg">{SCRIPT}</svg>'


@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    """Debian's Chromium, without a window."""
    playwright = pytest.importorskip("playwright.sync_api", reason="needs playwright")
    if not CHROMIUM.exists():
        pytest.skip("needs Chromium at /usr/bin/chromium: apt-get install chromium")
    with playwright.sync_playwright() as started:
        found = started.chromium.launch(executable_path=str(CHROMIUM), args=["--no-sandbox"])
        yield found
        found.close()


@dataclass(frozen=True)
class Target:
    """A bucket of the server, and the name of the one that scripts try to make."""

    server: LocalCloud
    bucket: Bucket
    wanted: str

    def put(self, name: str, text: str, content_type: str) -> None:
        """A stored page or picture that holds the script."""
        said = text.replace("PROJECT", PROJECT).replace("BUCKET", self.wanted)
        self.bucket.blob(name).upload_from_string(said, content_type=content_type)

    def is_made(self) -> bool:
        """Whether a script had its way."""
        return httpx.get(f"{self.server.url}/storage/v1/b/{self.wanted}").status_code == 200


@pytest.fixture
def target(server: LocalCloud, bucket: Bucket) -> Target:
    """A bucket of this test's own."""
    return Target(server, bucket, f"made-{uuid4().hex[:12]}")


@pytest.fixture
def elsewhere(tmp_path: Path) -> Iterator[Callable[[str], str]]:
    """Serves a page of another site, and gives its address."""
    folder = tmp_path / "site"
    folder.mkdir()
    handler = functools.partial(http.server.SimpleHTTPRequestHandler, directory=str(folder))
    site = http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler)
    threading.Thread(target=site.serve_forever, daemon=True).start()

    def page(html: str) -> str:
        (folder / "index.html").write_text(html, encoding="utf-8")
        return f"http://localhost:{site.server_address[1]}/index.html"

    yield page
    site.shutdown()
    site.server_close()


def opened(browser: Any, address: str) -> tuple[Any, dict[str, int]]:
    """A page once nothing more is loaded, and the statuses of what was asked for."""
    page = browser.new_page()
    statuses: dict[str, int] = {}
    page.on("response", lambda answer: statuses.setdefault(answer.url, answer.status))
    page.goto(address, wait_until="networkidle", timeout=PAGE_MS)
    return page, statuses


@pytest.mark.parametrize(
    ("path", "content_type", "text"),
    [
        ("/{bucket}/x?response-content-type=text/html", "image/jpeg", SCRIPT),
        ("/{bucket}/x", "text/html", SCRIPT),
        ("/{bucket}/x", "image/svg+xml", SVG),
        ("/storage/v1/b/{bucket}/o/x?alt=media", "text/html", SCRIPT),
    ],
)
def test_a_frame_of_another_site_shows_nothing(
    browser: Any,
    target: Target,
    elsewhere: Callable[[str], str],
    path: str,
    content_type: str,
    text: str,
) -> None:
    """A stored page, or a picture called one, in a frame elsewhere: 403, and no script runs."""
    target.put("x", text, content_type)
    address = target.server.url + path.format(bucket=target.bucket.name)

    _, statuses = opened(browser, elsewhere(f'<iframe src="{address}"></iframe>'))

    assert statuses[address] == 403
    assert not target.is_made()


@pytest.mark.parametrize(
    ("path", "content_type", "text"),
    [
        ("/{bucket}/x", "text/html", SCRIPT),
        ("/{bucket}/x", "application/xhtml+xml", SVG),
        ("/download/storage/v1/b/{bucket}/o/x?alt=media", "text/html", SCRIPT),
    ],
)
def test_a_stored_page_is_shown_and_can_do_nothing(
    browser: Any, target: Target, path: str, content_type: str, text: str
) -> None:
    """Its scripts run, in an origin of their own: each of its requests is refused."""
    target.put("x", text, content_type)

    page, _ = opened(browser, target.server.url + path.format(bucket=target.bucket.name))

    assert page.evaluate("self.origin") == "null"
    assert not target.is_made()


def test_a_signed_page_is_shown_from_elsewhere(
    browser: Any, target: Target, elsewhere: Callable[[str], str]
) -> None:
    """A link to a signed address shows the page, with the type that was signed for; no more."""
    target.put("x", f"<h1>A report</h1>{SCRIPT}", "text/plain")
    key_file = target.server.data / "service-account.json"
    credentials: Any = google.oauth2.service_account.Credentials
    signed = target.bucket.blob("x").generate_signed_url(
        version="v4", expiration=300, api_access_endpoint=target.server.url,
        response_type="text/html",
        credentials=credentials.from_service_account_file(key_file),
    )  # fmt: skip
    page, _ = opened(browser, elsewhere(f'<a id="go" href="{signed.replace("&", "&amp;")}">go</a>'))

    page.click("#go")
    page.wait_for_function("document.title !== ''", timeout=PAGE_MS)

    assert page.inner_text("h1") == "A report"
    assert page.title() == "null 0 0 0"
    assert not target.is_made()


def test_a_refusal_that_holds_a_script_is_text(browser: Any, target: Target) -> None:
    """The name of an object that is not there stands in the page as it was sent."""
    name = "<img src=x onerror=document.title='run'>"
    path = f"/download/storage/v1/b/{target.bucket.name}/o/{quote(name, safe='')}?alt=media"

    page, statuses = opened(browser, target.server.url + path)

    assert next(iter(statuses.values())) == 404
    assert page.inner_text("body") == f"No such object: {target.bucket.name}/{name}"
    assert page.title() == ""
