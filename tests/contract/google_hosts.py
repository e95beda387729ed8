"""A pytest plugin for the suites of Google's clients: what they reach, they reach by the proxy.

aiohttp looks at HTTPS_PROXY only when told to, and IAM Credentials speaks gRPC unless told not to.
"""

from __future__ import annotations

import importlib
from typing import Any


def pytest_configure() -> None:
    """Tells both, where they are installed."""
    _trust_the_environment()
    _speak_rest()


def _trust_the_environment() -> None:
    try:
        aiohttp: Any = importlib.import_module("aiohttp")
    except ImportError:
        return
    plain = aiohttp.ClientSession.__init__

    def trusting(self: Any, *arguments: Any, **options: Any) -> None:
        plain(self, *arguments, **{"trust_env": True, **options})

    aiohttp.ClientSession.__init__ = trusting


def _speak_rest() -> None:
    try:
        credentials: Any = importlib.import_module("google.cloud.iam_credentials_v1")
    except ImportError:
        return
    plain = credentials.IAMCredentialsClient

    def by_rest(**options: Any) -> Any:
        return plain(**{"transport": "rest", **options})

    credentials.IAMCredentialsClient = by_rest
