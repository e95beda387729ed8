"""Failures asked for by X-Goog-Emulator-Instructions, storage-testbench's older header.

https://github.com/googleapis/storage-testbench, README, "Force Failures": the header goes with the
request that is to fail, so the client counts its own retries.
"""

from __future__ import annotations

from emulator.faults import Fault
from emulator.web import Scope, header

HEADERS = (b"x-goog-emulator-instructions", b"x-goog-testbench-instructions")
STALL_SECONDS = 10.0
EDGE_BYTES = 256 << 10
BROKEN_BYTES = 1 << 20


def forced(scope: Scope) -> Fault | None:
    """The fault that a request's instruction stands for; None for one that nobody knows."""
    text = next((text for name in HEADERS if (text := header(scope, name))), "")
    if not text:
        return None
    if text == "return-broken-stream":
        return Fault(reset=True, after_answer_bytes=BROKEN_BYTES)
    if text == "return-corrupted-data":
        return Fault(corrupt=True)
    if text.startswith("stall-always"):
        return Fault(delay_seconds=STALL_SECONDS, after_answer_bytes=0)
    if text == "stall-at-256KiB" and _from_start(scope):
        return Fault(delay_seconds=STALL_SECONDS, after_answer_bytes=EDGE_BYTES)
    if text.startswith(("return-503-after-256K", "break-after-256K")):
        return _at_256_kib(scope, text)
    return None


def _at_256_kib(scope: Scope, text: str) -> Fault | None:
    """An upload is answered 503, a download from its start is cut, the first two retries 503."""
    if scope["method"] != "GET":
        is_upload = text == "return-503-after-256K"
        return Fault(status=503, after_request_bytes=EDGE_BYTES) if is_upload else None
    if _from_start(scope):
        return Fault(reset=True, after_answer_bytes=EDGE_BYTES)
    return Fault(status=503) if text.endswith(("/retry-1", "/retry-2")) else None


def _from_start(scope: Scope) -> bool:
    return (header(scope, b"range") or "bytes=0-").startswith("bytes=0-")
