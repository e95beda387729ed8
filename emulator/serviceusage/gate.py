"""Refuses the calls of a service that the project has disabled."""

from __future__ import annotations

import re
from typing import Any

from emulator.cloud import Cloud
from emulator.errors import ApiError, error_body
from emulator.resourcemanager import projects
from emulator.serviceusage import services
from emulator.web import App, Receive, Scope, Send, answer_json

AIPLATFORM = "aiplatform.googleapis.com"
# Cloud Quotas, Artifact Registry and Cloud Build share the first words of Vertex AI's paths.
SWITCHED = {
    AIPLATFORM: re.compile(
        r"/(?:v1|v1beta1|ui)/projects/([^/:]+)/locations/"
        r"(?![^/]+/(?:quota|repositories|services/|builds))"
    ),
    "cloudbuild.googleapis.com": re.compile(
        r"/v1/projects/([^/:]+)/(?:locations/[^/]+/)?builds(?:[/:]|$)"
    ),
}
CONSOLE = "https://console.developers.google.com/apis/api/{service}/overview?project={project}"
DISABLED = (
    "{title} has not been used in project {project} before or it is disabled. Enable it by "
    "visiting {url} then retry. If you enabled this API recently, wait a few minutes for the "
    "action to propagate to our systems and retry."
)


def gate(cloud: Cloud, app: App) -> App:
    """The app behind the check; of the services, only those of SWITCHED really stop here."""

    async def checked(scope: Scope, receive: Receive, send: Send) -> None:
        try:
            for service, paths in SWITCHED.items():
                if found := paths.match(scope.get("path", "")):
                    _check(cloud, service, found[1])
        except ApiError as error:
            await answer_json(send, error.http_code, error_body(error))
            return
        await app(scope, receive, send)

    return checked


def _check(cloud: Cloud, service: str, project: str) -> None:
    """Raises PERMISSION_DENIED when the project has disabled the service."""
    number = projects.number(cloud, projects.canonical(cloud, project))
    kept = cloud.resources.get(f"projects/{number}/services/{service}")
    if kept is None or kept["state"] == "ENABLED":
        return
    url = CONSOLE.format(service=service, project=number)
    title = services.catalogue()[service]
    message = DISABLED.format(title=title, project=number, url=url)
    raise ApiError("PERMISSION_DENIED", message, [_detail(service, number, title, url)])


def _detail(service: str, number: int, title: str, url: str) -> dict[str, Any]:
    metadata = {
        "service": service,
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
