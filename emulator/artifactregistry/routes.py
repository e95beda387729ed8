"""Routes of Artifact Registry v1."""

from __future__ import annotations

from pathlib import Path

from starlette.requests import Request
from starlette.responses import JSONResponse
from starlette.routing import Route

from emulator.artifactregistry import images, policies, repositories
from emulator.cloud import Cloud
from emulator.numbers import whole
from emulator.resourcemanager.bodies import body_of, only
from emulator.typed_api import TypedApi

TABLES = Path(__file__).parent / "tables"
PLACE = "/v1/projects/{project}/locations/{location}"
VERSION = "options.requestedPolicyVersion"
ONE = f"{PLACE}/repositories/{{id}}"
HANDLERS = {
    "CreateRepository": repositories.create,
    "GetRepository": repositories.get,
    "ListRepositories": repositories.listed,
    "UpdateRepository": repositories.update,
    "DeleteRepository": images.delete_repository,
    "ListDockerImages": images.listed,
    "ListPackages": images.packages,
    "GetPackage": images.get,
    "ListTags": images.tags,
    "GetTag": images.get,
}


def routes(cloud: Cloud) -> list[Route]:
    """Repositories, their policies, and the operations that changed them."""

    async def operation(request: Request) -> JSONResponse:
        return JSONResponse(cloud.resources.require(request.url.path.removeprefix("/v1/")))

    async def get_policy(request: Request) -> JSONResponse:
        version = whole(request.query_params.get(VERSION), VERSION)
        return JSONResponse(policies.get(cloud, _name(request), version))

    async def set_policy(request: Request) -> JSONResponse:
        body = await body_of(request)
        only(body, "policy", "updateMask")
        return JSONResponse(policies.replace(cloud, _name(request), body.get("policy", {})))

    async def test_permissions(request: Request) -> JSONResponse:
        body = await body_of(request)
        only(body, "permissions")
        asked = [str(one) for one in body.get("permissions", [])]
        found = policies.granted_to(cloud, _name(request), request.scope["caller"], asked)
        return JSONResponse({"permissions": found} if found else {})

    async def docker_image(request: Request) -> JSONResponse:
        name = request.url.path.removeprefix("/v1/")
        return JSONResponse(images.get(cloud, {"name": name}, request))

    api = TypedApi(cloud, TABLES, HANDLERS)
    return [
        Route(f"{PLACE}/operations/{{id:uuid}}", operation, methods=["GET"]),
        Route(f"{ONE}:getIamPolicy", get_policy, methods=["GET"]),
        Route(f"{ONE}:setIamPolicy", set_policy, methods=["POST"]),
        Route(f"{ONE}:testIamPermissions", test_permissions, methods=["POST"]),
        # A digest's colon is no verb.
        Route(f"{ONE}/dockerImages/{{image}}", docker_image, methods=["GET"]),
        *api.routes(f"{PLACE}/repositories", f"{PLACE}/repositories/{{rest:path}}"),
    ]


def _name(request: Request) -> str:
    return request.url.path.removeprefix("/v1/").partition(":")[0]
