"""Routes of Cloud Quotas, /v1 and /v1beta."""

from __future__ import annotations

from pathlib import Path

from starlette.routing import Route

from emulator.cloud import Cloud
from emulator.cloudquotas import infos, preferences
from emulator.typed_api import TypedApi

TABLES = Path(__file__).parent / "tables"
HANDLERS = {
    "CreateQuotaPreference": preferences.create,
    "GetQuotaPreference": preferences.get,
    "ListQuotaPreferences": preferences.listed,
    "UpdateQuotaPreference": preferences.update,
    "ListQuotaInfos": infos.listed,
    "GetQuotaInfo": infos.get,
}


def routes(cloud: Cloud) -> list[Route]:
    """What lies under `projects/P/locations/global` for this API."""
    api = TypedApi(cloud, TABLES, HANDLERS)
    return [route for version in ("v1", "v1beta") for route in api.routes(*_paths(version))]


def _paths(version: str) -> list[str]:
    base = f"/{version}/projects/{{project}}/locations/global"
    return [
        f"{base}/quotaPreferences",
        f"{base}/quotaPreferences/{{id}}",
        f"{base}/services/{{service}}/quotaInfos",
        f"{base}/services/{{service}}/quotaInfos/{{id}}",
        f"{base}/quotaAdjusterSettings",
    ]
