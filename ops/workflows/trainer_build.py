"""A build of the trainer's image by Cloud Build: begun once, joined while it runs, and watched."""

from __future__ import annotations

import re
from datetime import UTC, datetime

from ops.cloud import builds, registry_images, storage
from ops.cloud.builds import Build, BuildSpec
from ops.cloud.session import Session
from ops.data import trainer_source
from ops.data.trainer_source import Device, Source
from ops.errors import Code, OpsError
from ops.image_names import ImageName
from ops.ledger import Ledger, Run
from ops.pricing import estimate
from ops.progress import Progress
from ops.workflows import prepared

BUILT = "image-build"
# Build.timeout, which is what a build costs at most.
MOST_SECONDS: dict[Device, int] = {"cpu": 1200, "gpu": 2700}
# Beside the build's own limit: it may wait for a machine.
QUEUE_SECONDS = 1800.0
MOST_LOG_LINES = 5
# Cloud Build's own words for who may not act as an account, and the permission's.
ACT_AS = re.compile(r"act ?as", re.IGNORECASE)


def arguments(source: Source) -> dict[str, str]:
    """The build file's arguments."""
    return {"DEVICE": source.device, "SOURCE_DIGEST": source.digest}


def by_cloud(
    ledger: Ledger, run: Run, source: Source, image: ImageName, name: str, progress: Progress
) -> str:
    """The digest of the built image; JOB_FAILED with the build's last words and its log's address.

    A build of the same source that runs already is joined. Ctrl-C ends the build that was begun
    here, and leaves one that was joined alone.
    """
    build, is_ours = _begun_once(ledger, source, image, name, progress)
    if build is None:
        return registry_images.digest(ledger.session, image)
    ended = _watched(ledger.session, build, source, is_ours, progress)
    if is_ours:
        cost = estimate.image_build(ended.seconds, ledger.session.settings.region)
        run.event(BUILT, build=ended.name, status=ended.status, usd=round(cost.usd, 6))
    if ended.status != "SUCCESS":
        raise _failed(ledger.session, ended)
    found = ended.digests.get(name) or registry_images.digest(ledger.session, image)
    if not found:
        raise _not_pushed(ended, name)
    return found


def cancel_all(session: Session, progress: Progress) -> None:
    """No build of the stack runs on; those that the caller may not see are not looked for."""
    from google.api_core.exceptions import Forbidden

    if not session.capabilities.builds_images:
        return
    try:
        found = builds.find(session, _stack_tag(session))
    except Forbidden as error:
        progress.note(f"Builds of images were not looked for: {error.message}")
        return
    for build in (one for one in found if one.is_running):
        builds.cancel(session, build.name)
        progress.note(f"Build {build.id} of an image was cancelled.")


def _stack_tag(session: Session) -> str:
    return f"ops-stack-{session.settings.stack}"


def _begun_once(
    ledger: Ledger, source: Source, image: ImageName, name: str, progress: Progress
) -> tuple[Build | None, bool]:
    """The running build of the source, and whether it was begun here; None: the image is there.

    Under a lock, and the image is looked for after the builds: so no digest is built twice.
    """
    session = ledger.session
    with ledger.lock(f"image-{source.tag}"):
        running = [one for one in builds.find(session, source.tag) if one.is_running]
        if running:
            progress.note(f"Build {running[0].id} is at it: joining it. {running[0].log_url}")
            return running[0], False
        if registry_images.digest(session, image):
            return None, False
        build = begin(session, source, name)
    progress.note(f"Build {build.id} has begun. {build.log_url}")
    return build, True


def begin(session: Session, source: Source, name: str) -> Build:
    """The new build of a source; if the answer was lost, the one that was made all the same."""
    from google.api_core.exceptions import Forbidden, ServiceUnavailable

    spec = _spec(session, source, name)
    try:
        return builds.create(session, spec)
    except Forbidden as error:
        if not ACT_AS.search(error.message):
            raise
        raise _may_not_act(session, spec.account) from None
    except ServiceUnavailable:
        made = [one for one in builds.find(session, source.tag) if one.is_running]
        if not made:
            raise
        return made[0]


def _spec(session: Session, source: Source, name: str) -> BuildSpec:
    settings = session.settings
    archive = f"builds/source/{source.tag}.tar.gz"
    content = source.archive()
    generation = storage.write_bytes(session, settings.bucket, archive, content, "application/gzip")
    return BuildSpec(
        bucket=settings.bucket,
        archive=archive,
        generation=generation,
        build_file=trainer_source.DOCKERFILE,
        arguments=arguments(source),
        image=name,
        tags=("ops-trainer", _stack_tag(session), source.tag),
        timeout_seconds=MOST_SECONDS[source.device],
        account=prepared.builder(settings),
        project=settings.project,
    )


def _watched(
    session: Session, build: Build, source: Source, is_ours: bool, progress: Progress
) -> Build:
    """The build, over."""
    most = MOST_SECONDS[source.device]
    seen = [build]

    def look() -> Build | None:
        seen[0] = builds.get(session, build.name)
        return None if seen[0].is_running else seen[0]

    progress.goes_on(f"Build {build.id} goes on, {most // 60} min at most. {build.log_url}")
    with progress.step("Building the trainer's image") as step:

        def tell(_: object) -> None:
            step.reach(_so_far(seen[0]), f"{seen[0].status.lower()}, at most {most // 60} min")

        try:
            ended = session.poll(look, most + QUEUE_SECONDS, tell, f"Build {build.id}")
        except KeyboardInterrupt:
            if is_ours:
                _cancel(session, build, progress)
            raise
    assert isinstance(ended, Build)
    return ended


def _so_far(build: Build) -> float:
    since = build.started or build.created
    return (datetime.now(UTC) - since).total_seconds() if since else 0.0


def _cancel(session: Session, build: Build, progress: Progress) -> None:
    from google.api_core.exceptions import GoogleAPICallError

    try:
        builds.cancel(session, build.name)
    except GoogleAPICallError as error:
        region = session.settings.region
        by_hand = f"gcloud builds cancel {build.id} --region {region}"
        progress.goes_on(f"Build {build.id} could not be cancelled ({error.message}): {by_hand}")
        return
    progress.goes_on(f"Build {build.id} was cancelled; its minutes so far are billed.")


def _may_not_act(session: Session, account: str) -> OpsError:
    grant = f"gcloud iam service-accounts add-iam-policy-binding {account}"
    return OpsError(
        Code.DENIED,
        f"Images are built as {account}, and you may not act as it.",
        f"Type: {grant} --member={session.member} --role=roles/iam.serviceAccountUser",
    )


def _not_pushed(build: Build, name: str) -> OpsError:
    return OpsError(
        Code.JOB_FAILED,
        f"Build {build.id} ended well, and {name} is not in its repository.",
        f"Look at {build.log_url}, then type the same command again: it builds anew.",
    )


def _failed(session: Session, build: Build) -> OpsError:
    lines = "".join(f"\n  {line}" for line in _last_lines(session, build))
    why = f": {build.detail}" if build.detail else ""
    return OpsError(
        Code.JOB_FAILED,
        f"The build of the trainer's image ended as {build.status}{why}{lines}",
        f"Look at {build.log_url}, then type the same command again: it builds anew.",
    )


def _last_lines(session: Session, build: Build) -> list[str]:
    """The end of the build's log, where it may be read."""
    from google.api_core.exceptions import GoogleAPICallError

    bucket, _, name = build.log.partition("/")
    try:
        found = storage.read_text(session, bucket, name) if name else None
    except (GoogleAPICallError, UnicodeDecodeError):
        return []
    return found.text.strip().splitlines()[-MOST_LOG_LINES:] if found else []
