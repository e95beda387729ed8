"""Refuses the calls of a service that the project has disabled."""

from __future__ import annotations

import re
from typing import Any

from emulator.cloud import Cloud
from emulator.errors import ApiError, error_body
from emulator.resourcemanager import projects
from emulator.serviceusage import services
from emulator.web import App, Receive, Scope, Send, answer_json

# Cloud Quotas and Artifact Registry share the first words of Vertex AI's paths.
VERTEX = re.compile(
    r"/(?:v1|v1beta1|ui)/projects/([^/:]+)/locations/"
    r"(?![^/]+/(?:quota|repositories|services/))"
)
AIPLATFORM = "aiplatform.googleapis.com"
CONSOLE = "https://console.developers.google.com/apis/api/{service}/overview?project={project}"
DISABLED = (
    "{title} has not been used in project {project} before or it is disabled. Enable it by "
    "visiting {url} then retry. If you enabled this API recently, wait a few minutes for the "
    "action to propagate to our systems and retry."
)


def gate(cloud: Cloud, app: App) -> App:
    """The app behind the check; of the services, only Vertex AI can really be switched off here."""

    async def checked(scope: Scope, receive: Receive, send: Send) -> None:
        found = VERTEX.match(scope.get("path", ""))
        try:
            if found is not None:
                _check(cloud, found[1])
        except ApiError as error:
            await answer_json(send, error.http_code, error_body(error))
            return
        await app(scope, receive, send)

    return checked


def _check(cloud: Cloud, project: str) -> None:
    """Raises PERMISSION_DENIED when the project has disabled Vertex AI."""
    number = projects.number(cloud, projects.canonical(cloud, project))
    kept = cloud.resources.get(f"projects/{number}/services/{AIPLATFORM}")
    if kept is None or kept["state"] == "ENABLED":
        return
    url = CONSOLE.format(service=AIPLATFORM, project=number)
    title = services.catalogue()[AIPLATFORM]
    message = DISABLED.format(title=title, project=number, url=url)
    raise ApiError("PERMISSION_DENIED", message, [_detail(number, title, url)])


def _detail(number: int, title: str, url: str) -> dict[str, Any]:
    metadata = {
        "service": AIPLATFORM,
        "serviceTitle": title,
        "consumer": f"projects/{number}",
        "containerInfo": str(number),
        "activationUrl": url,
    }
    return {
        "@type": "type.googleapis.com/google.rpc.ErrorInfo",
        "reason": "SERVICE_DISABLED",
        "domain": "googleapis.com",
        "metadata": metadata,
    }
