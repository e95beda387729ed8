"""What every service of Google's has beside its own: its locations; policies are refused by name.

google/cloud/location/locations.proto and google/iam/v1/iam_policy.proto.
"""

from __future__ import annotations

import base64
import re
from typing import Any

from starlette.requests import Request

from emulator.aiplatform import names
from emulator.aiplatform.refusals import bad_field
from emulator.aiplatform.rights import target
from emulator.cloud import Cloud
from emulator.errors import ApiError
from emulator.iam import enforce
from emulator.tokens import Caller

Body = dict[str, Any]
_LOCATIONS = re.compile(r"projects/[^/:]+/locations(/[^/:]+)?")
_POLICIES = re.compile(r".+:(getIamPolicy|setIamPolicy|testIamPermissions)")
DEFAULT_PAGE = 100


def claims(method: str, path: str) -> bool:
    """Whether a request for a path, without its version, is for one of these methods."""
    if method == "GET" and _LOCATIONS.fullmatch(path):
        return True
    return method in ("GET", "POST") and _POLICIES.fullmatch(path) is not None


def call(cloud: Cloud, request: Request, path: str) -> Body:
    """ListLocations or GetLocation. UNIMPLEMENTED for policies, which resources here have not."""
    if policy := _POLICIES.fullmatch(path):
        rpc = policy[1][0].upper() + policy[1][1:]
        raise ApiError(
            "UNIMPLEMENTED",
            f"The local cloud does not have google.iam.v1.IAMPolicy.{rpc} for Vertex AI yet.",
        )
    caller: Caller = request.scope["caller"]
    is_one = path.count("/") > 2
    right = f"aiplatform.locations.{'get' if is_one else 'list'}"
    if not caller.owner:
        enforce.require(cloud, caller, right, target(path))
    if is_one:
        return _location(names.location(path))
    return _page(path.split("/")[1], request)


def _location(one: names.Location) -> Body:
    label = {"cloud.googleapis.com/region": one.region}
    return {"name": one.name, "locationId": one.region, "labels": label}


def _page(project: str, request: Request) -> Body:
    """The regions by name, one page and its token."""
    if request.query_params.get("filter"):
        raise ApiError("UNIMPLEMENTED", "The local cloud does not filter locations.")
    asked = request.query_params.get("pageSize", "0")
    if not asked.isdecimal():
        raise bad_field("page_size", f"Page size must be a number from 0. Received: {asked!r}.")
    after = _region(request.query_params.get("pageToken", ""))
    left = [region for region in sorted(names.REGIONS) if region > after]
    chosen = left[: int(asked) or DEFAULT_PAGE]
    answer: Body = {"locations": [_location(names.Location(project, one)) for one in chosen]}
    if len(left) > len(chosen):
        answer["nextPageToken"] = base64.urlsafe_b64encode(chosen[-1].encode()).decode()
    return answer


def _region(token: str) -> str:
    """The last region of the page before; empty for the first. INVALID_ARGUMENT for no token."""
    try:
        region = base64.urlsafe_b64decode(token).decode()
    except ValueError:
        region = "?"
    if region and region not in names.REGIONS:
        raise bad_field("page_token", "Invalid page token.")
    return region
