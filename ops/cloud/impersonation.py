"""Acting as a service account: its short-lived tokens, asked of IAM in the caller's own name.

Imports google.auth: import this module where it is needed, not at the top of another.
Source: docs.cloud.google.com/iam/docs/service-account-impersonation, as of 2026-05-30.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from types import SimpleNamespace
from typing import Any

from google.auth import exceptions, impersonated_credentials
from google.auth.transport.requests import Request

from ops.cloud import refusals, sign_in
from ops.errors import Code, OpsError
from ops.settings import IMPERSONATE, Settings

ROLE = "roles/iam.serviceAccountTokenCreator"
PERMISSION = "iam.serviceAccounts.getAccessToken"
ACCOUNT = "/v1/projects/-/serviceAccounts/{email}"
TOKEN, BOUNDARY = ":generateAccessToken", "/allowedLocations"


class LocalAccount(impersonated_credentials.Credentials):
    """Credentials of an account of a local cloud, which is asked for all that belongs to them."""

    def _build_regional_access_boundary_lookup_url(
        self,
        request: Any = None,  # noqa: ARG002
    ) -> str:
        """Where the account may be used from: google-auth has no other seam for the address."""
        return str(self._iam_endpoint_override).removesuffix(TOKEN) + BOUNDARY


def credentials(source: Any, settings: Settings, base_url: str = "") -> Any:
    """Credentials of the account that the settings name, with a token that `source` got for it.

    `base_url` is a local cloud's; empty: Google. NOT_FOUND where there is no such account, DENIED
    where `source` may not act as it (or Google does not say which), NOT_PREPARED where the API is
    not enabled.
    """
    email, project = settings.impersonate, settings.project
    kind: Any = LocalAccount if base_url else impersonated_credentials.Credentials
    there = base_url + ACCOUNT.format(email=email) + TOKEN
    found = kind(
        source_credentials=source,
        target_principal=email,
        target_scopes=list(sign_in.SCOPES),
        quota_project_id=None if base_url else project,
        iam_endpoint_override=there if base_url else None,
    )
    try:
        found.refresh(Request())
    except exceptions.RefreshError as error:
        raise explain(error, settings, sign_in.member(source)) from error
    return found


def explain(error: exceptions.RefreshError, settings: Settings, member: str) -> OpsError:
    """What it means that no token came, and what `member` types."""
    email, project, said = settings.impersonate, settings.project, _answer(error)
    message, status = str(said.get("message", "")), said.get("status")
    info: Mapping[str, Any] = next((one for one in said.get("details", ()) if "reason" in one), {})
    if status == "NOT_FOUND":
        where = settings.sources.get("impersonate", IMPERSONATE)
        message = f"There is no service account {email}, which {where} says to act as."
        if where == IMPERSONATE:
            return OpsError(Code.NOT_FOUND, message, f"Type: unset {where} && ops bootstrap")
        hint = f"Take impersonate out of {where}, then type: ops bootstrap"
        return OpsError(Code.NOT_FOUND, message, hint)
    if PERMISSION in message:
        grant = f"gcloud iam service-accounts add-iam-policy-binding {email}"
        return OpsError(
            Code.DENIED,
            f"You may not act as {email} (or there is no such account). Missing: {PERMISSION}.",
            f"Type: {grant} --member={member} --role={ROLE}",
        )
    if status == "FAILED_PRECONDITION":
        enable = f"gcloud iam service-accounts enable {email} --project {project}"
        return OpsError(Code.DENIED, message, f"Type: {enable}")
    refused = SimpleNamespace(message=message, **{"reason": None, "metadata": None, **info})
    return refusals.explain(refused, project) or sign_in.explain(error)


def _answer(error: exceptions.RefreshError) -> dict[str, Any]:
    """IAM's own error; {} where the caller's sign-in failed, and IAM was not asked."""
    try:
        return dict(json.loads(str(error.args[1]))["error"])
    except (IndexError, ValueError, KeyError, TypeError):
        return {}
