"""Who pays for a project, as Cloud Billing knows it."""

from __future__ import annotations

from dataclasses import dataclass

from ops.cloud import rest
from ops.cloud.session import Session

HOST = "cloudbilling.googleapis.com"


@dataclass(frozen=True)
class BillingInfo:
    """`account` is `billingAccounts/A`, or empty; `enabled` when it is there and open."""

    account: str
    enabled: bool


def get(session: Session) -> BillingInfo:
    """The project's billing account."""
    found = rest.get(session, HOST, f"/v1/projects/{session.settings.project}/billingInfo")
    account, enabled = found.get("billingAccountName", ""), found.get("billingEnabled", False)
    return BillingInfo(str(account), bool(enabled))
