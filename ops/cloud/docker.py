"""Docker on this machine: an image built from an archive, and pushed with the session's token.

The sign-in is kept in a folder that is gone afterwards: neither the user's own is changed, nor the
token left behind.
"""

from __future__ import annotations

import os
import re
import subprocess
import tempfile
from collections.abc import Mapping, Sequence

from ops.cloud.session import Session
from ops.errors import Code, OpsError

# Artifact Registry's name for whoever shows an access token:
# cloud.google.com/artifact-registry/docs/docker/authentication#token
TOKEN_USER = "oauth2accesstoken"
DIGEST = re.compile(r"digest: (sha256:[0-9a-f]{64})")
ANSWER_SECONDS = 20.0
PUSH_SECONDS = 3600.0
MOST_LINES = 5


def check() -> str:
    """The version of Docker's server; NOT_FOUND, with what to type, when none answers."""
    try:
        command = ["docker", "version", "--format", "{{.Server.Version}}"]
        version = _run(command, "", b"", ANSWER_SECONDS)
    except (OSError, subprocess.TimeoutExpired, OpsError):
        raise OpsError(
            Code.NOT_FOUND,
            "No Docker answers on this machine, and --build docker needs one.",
            "Start Docker, or type --build cloud",
        ) from None
    return version.strip()


def build(
    archive: bytes,
    build_file: str,
    arguments: Mapping[str, str],
    image: str,
    timeout_seconds: float,
) -> None:
    """The image is there, for the machines of Google's; JOB_FAILED with Docker's words."""
    values = [f"--build-arg={key}={value}" for key, value in sorted(arguments.items())]
    command = ["docker", "build", "--platform=linux/amd64", f"--file={build_file}"]
    _run([*command, *values, f"--tag={image}", "-"], "", archive, timeout_seconds)


def push(session: Session, host: str, image: str) -> str:
    """The digest of the pushed image; JOB_FAILED with Docker's words."""
    endpoint = _run(
        ["docker", "context", "inspect", "--format", "{{.Endpoints.docker.Host}}"], "", b"",
        ANSWER_SECONDS,
    ).strip()  # fmt: skip
    with tempfile.TemporaryDirectory(prefix="ops-docker-") as folder:
        sign_in = ["docker", "login", f"--username={TOKEN_USER}", "--password-stdin", host]
        _run(sign_in, folder, session.token().encode(), ANSWER_SECONDS * 3, endpoint)
        said = _run(["docker", "push", image], folder, b"", PUSH_SECONDS, endpoint)
    found = DIGEST.search(said)
    if found is None:
        raise OpsError(
            Code.JOB_FAILED,
            f"docker push {image} did not say the digest of what it pushed.",
            "Type the same command again: it finds the image if it is there.",
        )
    return found[1]


def _run(
    command: Sequence[str], folder: str, given: bytes, timeout_seconds: float, endpoint: str = ""
) -> str:
    """What a command printed; `folder` holds its sign-in, `endpoint` says where Docker is."""
    own = {"DOCKER_CONFIG": folder, "DOCKER_HOST": endpoint} if folder else {}
    done = subprocess.run(
        list(command),
        input=given,
        env={**os.environ, "DOCKER_BUILDKIT": "1", **own},
        capture_output=True,
        check=False,
        timeout=timeout_seconds,
    )
    if done.returncode == 0:
        return done.stdout.decode("utf-8", "replace")
    last = done.stderr.decode("utf-8", "replace").strip().splitlines()[-MOST_LINES:]
    raise OpsError(
        Code.JOB_FAILED,
        f"{' '.join(command[:2])} ended with {done.returncode}. It said:\n  " + "\n  ".join(last),
        "Mend it, or type --build cloud",
    )
