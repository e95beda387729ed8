"""`X-HTTP-Method-Override`: the method of a request that had to be sent as POST.

It is among the headers of cloud.google.com/storage/docs/json_api/v1/parameters (read 2026-11-22).
Google's Java libraries send PATCH so where their transport has none (gax-java, #1465), and a GET
whose address is too long, with its query as a form in the body (google-api-client, MethodOverride).
"""

from __future__ import annotations

from emulator.errors import ApiError
from emulator.web import Receive, Scope, header, read_body

HEADER = b"x-http-method-override"
METHODS = ("GET", "PUT", "PATCH", "DELETE", "POST")
FORM = "application/x-www-form-urlencoded"
FORM_BYTES = 1 << 20
OF_BODY = (b"content-length", b"content-type", b"transfer-encoding")


async def override(scope: Scope, receive: Receive) -> None:
    """Makes a POST the request that it stands for. INVALID_ARGUMENT for a method nobody has."""
    method = (header(scope, HEADER) or "POST").upper()
    if method not in METHODS:
        raise ApiError("INVALID_ARGUMENT", f"Invalid X-HTTP-Method-Override: {method!r}.")
    scope["method"] = method
    typed = header(scope, b"content-type") or ""
    if method == "GET" and typed.partition(";")[0].strip().lower() == FORM:
        try:
            form = await read_body(receive, FORM_BYTES)
        except ValueError as error:
            raise ApiError("INVALID_ARGUMENT", str(error)) from None
        scope["query_string"] = b"&".join(part for part in (scope["query_string"], form) if part)
        scope["headers"] = [pair for pair in scope["headers"] if pair[0] not in OF_BODY]
