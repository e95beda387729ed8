"""What a project may use of Vertex AI at a time, as Cloud Quotas knows it.

Cloud Quotas says what is granted, not how much of it is in use.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from ops.cloud import rest
from ops.cloud.session import Session

HOST = "cloudquotas.googleapis.com"
SERVICE = "aiplatform.googleapis.com"
PAGE = 200
UNLIMITED = -1


@dataclass(frozen=True)
class Quota:
    """A quota in the session's region.

    `value` is what is granted (-1 is unlimited), None where the region is not among its locations;
    `ineligible` says why more cannot be asked for, and is empty when it can.
    """

    id: str
    metric: str
    value: int | None
    ineligible: str = ""

    def has(self, count: int) -> bool:
        """Whether `count` at a time are granted."""
        return self.value == UNLIMITED or (self.value is not None and self.value >= count)


def get(session: Session, quota_id: str) -> Quota | None:
    """The quota of this id, or None."""
    from google.api_core.exceptions import NotFound

    try:
        found = rest.get(session, HOST, f"{_parent(session)}/{quota_id}")
    except NotFound:
        return None
    return _quota(found, session.settings.region)


def by_metric(session: Session, metric: str) -> Quota | None:
    """The first quota of this metric (`custom_model_training_cpus`), or None.

    Metrics are what Google's refusals name; ids are known from its notebooks, not from a list.
    """
    named = f"{SERVICE}/{metric}"
    return next((one for one in listed(session) if one.metric == named), None)


def listed(session: Session) -> Iterable[Quota]:
    """Every quota of Vertex AI; some thousands on Google."""
    for one in rest.pages(session, HOST, _parent(session), "quotaInfos", PAGE):
        yield _quota(one, session.settings.region)


def _parent(session: Session) -> str:
    project = session.settings.project
    return f"/v1/projects/{project}/locations/global/services/{SERVICE}/quotaInfos"


def _quota(info: Mapping[str, Any], region: str) -> Quota:
    eligible = info.get("quotaIncreaseEligibility", {})
    reason = "" if eligible.get("isEligible") else str(eligible.get("ineligibilityReason", ""))
    value = _value(info.get("dimensionsInfos", []), region)
    return Quota(str(info.get("quotaId", "")), str(info.get("metric", "")), value, reason)


def _value(rows: Iterable[Mapping[str, Any]], region: str) -> int | None:
    """The value of the row of this region, else of the row of all that have none of their own.

    DimensionsInfo in google/api/cloudquotas/v1/resources.proto (googleapis).
    """
    own = [row for row in rows if row.get("dimensions", {}).get("region") == region]
    rest_of_them = [
        row
        for row in rows
        if "region" not in row.get("dimensions", {})
        and {region, "global"} & set(row.get("applicableLocations", []))
    ]
    for row in (*own, *rest_of_them):
        return int(row.get("details", {}).get("value", 0))
    return None
