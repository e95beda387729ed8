"""Whether somebody answers where Terraform would download a provider from: a look of two seconds.

Which address is asked first: developer.hashicorp.com/terraform/internals/remote-service-discovery
and .../provider-network-mirror-protocol, read 2026-11-22.
"""

from __future__ import annotations

import threading
from collections.abc import Mapping
from http.client import HTTPException
from urllib.request import ProxyHandler, build_opener

REGISTRY = "https://registry.terraform.io/.well-known/terraform.json"
LOOK_SECONDS = 2.0
SCHEMES = ("http", "https")


def in_mirror(url: str, provider: str) -> str:
    """What a network mirror at `url` is asked about a provider, HOST/NAMESPACE/TYPE."""
    return f"{url.rstrip('/')}/{provider}/index.json"


def answers(address: str, environ: Mapping[str, str], seconds: float = LOOK_SECONDS) -> bool:
    """Whether what is there is given out, through the proxy that the environment names.

    A thread of its own, left behind when the time is up: a look-up of a name knows no time limit.
    """
    found: list[bool] = []
    look = threading.Thread(
        target=lambda: found.append(_given(address, environ, seconds)), daemon=True
    )
    look.start()
    look.join(seconds)
    return found == [True]


def _given(address: str, environ: Mapping[str, str], seconds: float) -> bool:
    try:
        with build_opener(ProxyHandler(_proxies(environ))).open(address, timeout=seconds):
            return True
    # ValueError: an address, or a proxy's, that is none. HTTPException: what answers is no server.
    except (OSError, ValueError, HTTPException):
        return False


def _proxies(environ: Mapping[str, str]) -> dict[str, str]:
    named = {
        one: environ.get(f"{one.upper()}_PROXY") or environ.get(f"{one}_proxy") for one in SCHEMES
    }
    return {scheme: proxy for scheme, proxy in named.items() if proxy}
