"""Google's credentials for `session.py`: found, checked for where they lead, and explained."""

from __future__ import annotations

import json
import os
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from ops.errors import Code, OpsError
from ops.settings import Settings

SCOPES = ("https://www.googleapis.com/auth/cloud-platform",)
KEY_VARIABLE = "GOOGLE_APPLICATION_CREDENTIALS"
# Variables that send Google's clients, gcloud or Terraform elsewhere: with one of them set, gcp
# would be a mixture.
ELSEWHERE = re.compile(
    r"STORAGE_EMULATOR_HOST|API_ENDPOINT_OVERRIDE|"
    r"GOOGLE_\w+_CUSTOM_ENDPOINT|CLOUDSDK_API_ENDPOINT_OVERRIDES_\w+"
)
# A local cloud takes any text that is no account's token for its owner's.
OWNER_TOKEN = "owner"
SIGN_IN = "Type: gcloud auth application-default login"


def check(environ: Mapping[str, str]) -> None:
    """Raise EMULATOR_VARIABLE when a variable or a key file leads to a local cloud."""
    found = sorted(name for name in environ if ELSEWHERE.fullmatch(name) and environ[name])
    if found:
        raise OpsError(
            Code.EMULATOR_VARIABLE,
            f"The target is gcp, but {found[0]}={environ[found[0]]} sends calls elsewhere.",
            f"Type: unset {' '.join(found)}",
        )
    key = environ.get(KEY_VARIABLE)
    address = _key(key).get("token_uri", "https:") if key else "https:"
    if not str(address).startswith("https:"):
        raise OpsError(
            Code.EMULATOR_VARIABLE,
            f"The target is gcp, but {KEY_VARIABLE}={key} is a key of a local cloud, {address}.",
            f"Type: unset {KEY_VARIABLE}",
        )


def google(settings: Settings) -> Any:
    """Application Default Credentials, or those of the account that they are to act as.

    The project of the settings pays for calls, whichever client uses them.
    """
    import google.auth

    found, _ = google.auth.default(scopes=SCOPES, quota_project_id=settings.project)
    if not settings.impersonate:
        return found
    from ops.cloud import impersonation

    return impersonation.credentials(found, settings)


def local(settings: Settings, base_url: str) -> Any:
    """The credentials for a local cloud: nobody's, who is its owner, or an account's."""
    from google.auth.credentials import AnonymousCredentials

    if not settings.impersonate:
        return AnonymousCredentials()  # type: ignore[no-untyped-call]
    from google.oauth2.credentials import Credentials

    from ops.cloud import impersonation

    owner = Credentials(OWNER_TOKEN)  # type: ignore[no-untyped-call]
    return impersonation.credentials(owner, settings, base_url)


def member(found: Any) -> str:
    """Who the credentials are, as IAM policies name them; a shell finds out, for a person's."""
    address = getattr(found, "service_account_email", None)
    return f"serviceAccount:{address}" if address else "user:$(gcloud config get account)"


def token(found: Any) -> str:
    """An access token of the credentials; the owner's of a local cloud for nobody's."""
    from google.auth.credentials import AnonymousCredentials
    from google.auth.transport.requests import Request

    if isinstance(found, AnonymousCredentials):
        return OWNER_TOKEN
    if not found.valid:
        found.refresh(Request())
    return str(found.token)


def explain(error: BaseException, environ: Mapping[str, str] = os.environ) -> OpsError:
    """What google.auth's DefaultCredentialsError or RefreshError means, and what to type."""
    key, said = environ.get(KEY_VARIABLE), str(error.args[0] if error.args else error)
    if key and not Path(key).is_file():
        message = f"{KEY_VARIABLE}={key} is not there"
        return OpsError(
            Code.UNAUTHENTICATED, f"{message}.", f"{SIGN_IN} (after: unset {KEY_VARIABLE})"
        )
    address = _key(key).get("client_email") if key else None
    if address:
        message = f"Google does not take the key {key} of {address} (any more): {said.rstrip('.')}."
        new = f"gcloud iam service-accounts keys create {key} --iam-account {address}"
        return OpsError(Code.UNAUTHENTICATED, message, f"Type: {new}")
    if type(error).__name__ == "DefaultCredentialsError":
        return OpsError(Code.UNAUTHENTICATED, "No credentials for Google were found.", SIGN_IN)
    message = f"You are no longer signed in to Google: {said.rstrip('.')}."
    return OpsError(Code.UNAUTHENTICATED, message, SIGN_IN)


def _key(path: str) -> dict[str, Any]:
    """What a key file says; {} when it cannot be read, which google.auth explains better."""
    try:
        found = json.loads(Path(path).read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    return found if isinstance(found, dict) else {}
