"""What a job's account, or Vertex AI's agent, may read and write in buckets: asked before a file.

A bucket that grants without conditions is asked once; another for each of its objects.
"""

from __future__ import annotations

from typing import Any

from emulator.cloud import Cloud
from emulator.errors import ApiError
from emulator.iam import agents, enforce, service_accounts, targets
from emulator.iam.service_accounts import Account
from emulator.storage.names import HIDDEN_PREFIX
from emulator.storage.rights import CREATE, GET
from emulator.tokens import Caller

Body = dict[str, Any]

# GoogleCloudPlatform/vertex-ai-samples#3710 and statmike/vertex-ai-mlops#60 on GitHub, read
# 2026-11-21; the batch predictions of AutoML said the same of "the input bucket".
DENIED = (
    "Service account `{email}` does not have `[{permission}]` IAM permission(s) to the {what}. "
    "Please either copy the files to the Google Cloud Storage bucket owned by your project, or "
    "grant the required IAM permission(s) to the service account."
)
NO_ACCOUNT = "The service account {email} does not exist."


class Access:
    """What one account may do with objects, as long as a job or an operation lasts."""

    def __init__(self, cloud: Cloud, caller: Caller) -> None:
        self._cloud = cloud
        self._whole: dict[tuple[str, str], bool] = {}
        self.caller = caller

    def may(self, permission: str, bucket: str, name: str) -> bool:
        """Whether the account may do this to an object; a bucket that is not there is no matter."""
        if bucket.startswith(HIDDEN_PREFIX):  # the server's own, where its agents put their work
            return True
        key = (permission, bucket)
        if key not in self._whole:
            whole = targets.bucket(self._cloud, bucket)
            self._whole[key] = not whole.project or enforce.allowed_whole(
                self._cloud, self.caller, permission, whole
            )
        return self._whole[key] or enforce.allowed(
            self._cloud, self.caller, permission, targets.bucket(self._cloud, bucket, name)
        )

    def require_read(self, uri: str) -> None:
        """FAILED_PRECONDITION, in Google's words, unless the account may read the object."""
        bucket, _, name = uri.removeprefix("gs://").partition("/")
        if not self.may(GET, bucket, name):
            raise self.denied(GET, f'bucket "{bucket}"')

    def require_folder(self, uri: str, permission: str = CREATE) -> None:
        """FAILED_PRECONDITION unless the account may write (or else) what lies in a folder."""
        bucket, _, prefix = uri.removeprefix("gs://").rstrip("/").partition("/")
        if not self.may(permission, bucket, f"{prefix}/" if prefix else ""):
            raise self.denied(permission, f'directory "{uri}"')

    def denied(self, permission: str, what: str) -> ApiError:
        """FAILED_PRECONDITION, in Google's words, for `what` (`bucket "b"`)."""
        said = DENIED.format(email=self.caller.email, permission=permission, what=what)
        return ApiError("FAILED_PRECONDITION", said)


def of_agent(cloud: Cloud, name: str) -> Access:
    """Vertex AI's own agent in the project of a resource."""
    return Access(cloud, agents.caller(cloud, name.split("/")[1]))


def of_batch(cloud: Cloud, body: Body) -> Access:
    """The account that a batch prediction runs as: its own, or the agent."""
    if body.get("serviceAccount"):
        return of_job(cloud, body["name"], body)
    return of_agent(cloud, body["name"])


def of_job(cloud: Cloud, name: str, spec: Body) -> Access:
    """The account that a custom job runs as, by its spec's `serviceAccount`."""
    return Access(cloud, Caller(account_of_job(cloud, name, spec).email, owner=False))


def account_of_job(cloud: Cloud, name: str, spec: Body) -> Account:
    """The account that a custom job runs as: its own, or the custom code agent.

    FAILED_PRECONDITION where it does not exist, or can no longer be used.
    """
    address = str(spec.get("serviceAccount") or "")
    if not address:
        return agents.ensure(cloud, name.split("/")[1], agents.CUSTOM_CODE)
    found = service_accounts.find(cloud, address)
    if found is None or not found.is_active:
        raise ApiError("FAILED_PRECONDITION", NO_ACCOUNT.format(email=address))
    return found
