"""Quota infos: which quotas there are, and what the project has of them."""

from __future__ import annotations

import re
import tomllib
from functools import cache
from pathlib import Path
from typing import Any

from starlette.requests import Request

from emulator.cloud import Cloud
from emulator.cloudquotas.preferences import granted_values
from emulator.errors import ApiError
from emulator.resourcemanager import projects
from emulator.typed_api import page

Body = dict[str, Any]

CATALOGUE = Path(__file__).with_name("quotas.toml")
PARENT = re.compile(r"(projects/([^/]+)/locations/global)/services/([^/]+)")


def listed(cloud: Cloud, request: Body, _: Request) -> Body:
    """The quotas of a service; those of services other than Vertex AI are not known here."""
    base, project_id, service = _parent(cloud, request["parent"])
    known = catalogue()["quotas"] if service == catalogue()["service"] else {}
    rows = [_info(cloud, base, project_id, quota_id) for quota_id in known]
    return page("quotaInfos", rows, request)


def get(cloud: Cloud, request: Body, _: Request) -> Body:
    """One quota. NOT_FOUND for one that is not in the table."""
    parent, _, quota_id = request["name"].rpartition("/quotaInfos/")
    base, project_id, service = _parent(cloud, parent)
    if service != catalogue()["service"] or quota_id not in catalogue()["quotas"]:
        raise ApiError("NOT_FOUND", f"Resource '{request['name']}' was not found")
    return _info(cloud, base, project_id, quota_id)


@cache
def catalogue() -> Body:
    """The table of quotas."""
    return tomllib.loads(CATALOGUE.read_text(encoding="utf-8"))


def _info(cloud: Cloud, base: str, project_id: str, quota_id: str) -> Body:
    service = catalogue()["service"]
    first = dict(catalogue()["quotas"][quota_id])
    metric = first.pop("metric")
    return {
        "name": f"{base}/services/{service}/quotaInfos/{quota_id}",
        "quotaId": quota_id,
        "metric": f"{service}/{metric}",
        "service": service,
        "containerType": "PROJECT",
        "dimensions": ["region"],
        "metricUnit": "1",
        "quotaIncreaseEligibility": {"isEligible": True},
        "dimensionsInfos": [
            _of_region(region, value)
            for region, value in (first | granted_values(cloud, project_id, quota_id)).items()
        ],
    }


def _of_region(region: str, value: int) -> Body:
    return {
        "dimensions": {"region": region},
        "details": {"value": str(value)},
        "applicableLocations": [region],
    }


def _parent(cloud: Cloud, parent: str) -> tuple[str, str, str]:
    found = PARENT.fullmatch(parent)
    if found is None:
        raise ApiError("INVALID_ARGUMENT", f"Invalid parent: '{parent}'. Projects only, global.")
    return found[1], projects.canonical(cloud, found[2]), found[3]
