"""A stack lives in one region: that of its bucket, where everything else of it is made too."""

from __future__ import annotations

from dataclasses import replace

from ops.cloud import refusals, storage
from ops.cloud.session import Session
from ops.errors import Code, OpsError
from ops.pricing import regions
from ops.workflows import records

DEFAULT = "default"


def at_home(session: Session) -> Session:
    """The session in the region of the stack's bucket, or as it is when there is no bucket yet.

    OTHER_REGION when another one was asked for: what is made there would not be found again. A
    stack that is billed is put on record; what was prepared and is gone, as after a reset of the
    local cloud, is taken off it.
    """
    settings = session.settings
    bucket = _bucket(session)
    if bucket is not None and session.capabilities.bills:
        living = replace(settings, region=bucket.location.lower())
        records.remember(living, bucket.created)
    if bucket is None and session.capabilities.prepares_project:
        records.forget(settings)
    home = bucket.location.lower() if bucket else settings.region
    if home == settings.region or not regions.known(home):
        return session
    if settings.sources.get("region", DEFAULT) == DEFAULT:
        return session.moved(home)
    raise OpsError(
        Code.OTHER_REGION,
        f"Stack {settings.stack} is in {home}, where its bucket is. "
        f"Received: region {settings.region} ({settings.sources['region']}).",
        f"Type --region {home}, or --stack with another name.",
    )


def _bucket(session: Session) -> storage.Bucket | None:
    """The stack's bucket. DENIED where it may not be looked at: it may be somebody else's."""
    from google.api_core.exceptions import Forbidden

    settings = session.settings
    try:
        return storage.get_bucket(session, settings.bucket)
    except Forbidden as refused:
        if refusals.explain(refused, settings.project):
            raise
        raise OpsError(
            Code.DENIED,
            f"You may not look at bucket {settings.bucket}: it belongs to another project (names "
            f"of buckets are unique in the world), or a right is missing. {refused.message}",
            "Type: ops doctor, or set another bucket: OPS_BUCKET, or bucket = in ops.toml.",
        ) from refused
