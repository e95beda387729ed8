"""IAM v1 and IAM Credentials v1 over HTTP: accounts, keys, signatures, roles, pools."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import JSONResponse
from starlette.routing import BaseRoute, Route

from emulator.cloud import Cloud
from emulator.errors import ApiError, error_body
from emulator.iam import account_calls, credential_calls, custom_roles, key_calls, pools
from emulator.iam.calls import Call
from emulator.resourcemanager.bodies import body_of
from emulator.tokens import Tokens

Body = dict[str, Any]
Rule = Callable[[Call], Body]

ACCOUNTS = "projects/{project}/serviceAccounts"
ACCOUNT = ACCOUNTS + "/{account}"
KEYS, KEY = f"{ACCOUNT}/keys", f"{ACCOUNT}/keys/{{key}}"
ROLES = "projects/{project}/roles"
ROLE = ROLES + "/{role}"
POOLS = "projects/{project}/locations/global/workloadIdentityPools"
POOL = POOLS + "/{pool}"
PROVIDERS, PROVIDER = f"{POOL}/providers", f"{POOL}/providers/{{provider}}"
OPERATION = "operations/{operation}"


def pool_routes(many: str, one: str, method: str) -> list[tuple[str, str, str, Rule]]:
    """The methods that pools and their providers both have."""
    return [
        ("GET", many, f"{method}.list", pools.listed),
        ("POST", many, f"{method}.create", pools.create),
        ("POST", f"{one}:undelete", f"{method}.undelete", pools.undelete),
        ("GET", f"{one}/{OPERATION}", f"{method}.operations.get", pools.operation),
        ("PATCH", one, f"{method}.patch", pools.patch),
        ("DELETE", one, f"{method}.delete", pools.delete),
        ("GET", one, f"{method}.get", pools.get),
    ]


# The method of Google's API that each request is, and the rule that answers it.
TABLE: list[tuple[str, str, str, Rule]] = [
    ("GET", ACCOUNTS, "iam.projects.serviceAccounts.list", account_calls.listed),
    ("POST", ACCOUNTS, "iam.projects.serviceAccounts.create", account_calls.create),
    ("POST", f"{ACCOUNT}:enable", "iam.projects.serviceAccounts.enable", account_calls.enable),
    ("POST", f"{ACCOUNT}:disable", "iam.projects.serviceAccounts.disable", account_calls.disable),
    ("POST", f"{ACCOUNT}:undelete", "iam.projects.serviceAccounts.undelete",
     account_calls.undelete),
    ("POST", f"{ACCOUNT}:getIamPolicy", "iam.projects.serviceAccounts.getIamPolicy",
     account_calls.get_policy),
    ("POST", f"{ACCOUNT}:setIamPolicy", "iam.projects.serviceAccounts.setIamPolicy",
     account_calls.set_policy),
    ("POST", f"{ACCOUNT}:testIamPermissions", "iam.projects.serviceAccounts.testIamPermissions",
     account_calls.test_permissions),
    ("POST", f"{ACCOUNT}:signBlob", "iamcredentials.projects.serviceAccounts.signBlob",
     credential_calls.sign_blob),
    ("POST", f"{ACCOUNT}:signJwt", "iamcredentials.projects.serviceAccounts.signJwt",
     credential_calls.sign_jwt),
    ("POST", f"{ACCOUNT}:generateAccessToken",
     "iamcredentials.projects.serviceAccounts.generateAccessToken",
     credential_calls.generate_access_token),
    ("POST", f"{ACCOUNT}:generateIdToken",
     "iamcredentials.projects.serviceAccounts.generateIdToken", credential_calls.generate_id_token),
    ("GET", f"{ACCOUNT}/allowedLocations",
     "iamcredentials.projects.serviceAccounts.getAllowedLocations",
     credential_calls.allowed_locations),
    ("GET", KEYS, "iam.projects.serviceAccounts.keys.list", key_calls.listed),
    ("POST", KEYS, "iam.projects.serviceAccounts.keys.create", key_calls.create),
    ("POST", f"{KEYS}:upload", "iam.projects.serviceAccounts.keys.upload", key_calls.upload),
    ("POST", f"{KEY}:enable", "iam.projects.serviceAccounts.keys.enable", key_calls.enable),
    ("POST", f"{KEY}:disable", "iam.projects.serviceAccounts.keys.disable", key_calls.disable),
    ("GET", KEY, "iam.projects.serviceAccounts.keys.get", key_calls.get),
    ("DELETE", KEY, "iam.projects.serviceAccounts.keys.delete", key_calls.delete),
    ("GET", ACCOUNT, "iam.projects.serviceAccounts.get", account_calls.get),
    ("PATCH", ACCOUNT, "iam.projects.serviceAccounts.patch", account_calls.patch),
    ("PUT", ACCOUNT, "iam.projects.serviceAccounts.update", account_calls.update),
    ("DELETE", ACCOUNT, "iam.projects.serviceAccounts.delete", account_calls.delete),
    ("GET", "roles", "iam.roles.list", custom_roles.listed_predefined),
    ("GET", "roles/{role}", "iam.roles.get", custom_roles.get_predefined),
    ("GET", ROLES, "iam.projects.roles.list", custom_roles.listed),
    ("POST", ROLES, "iam.projects.roles.create", custom_roles.create),
    ("POST", f"{ROLE}:undelete", "iam.projects.roles.undelete", custom_roles.undelete),
    ("GET", ROLE, "iam.projects.roles.get", custom_roles.get),
    ("PATCH", ROLE, "iam.projects.roles.patch", custom_roles.patch),
    ("DELETE", ROLE, "iam.projects.roles.delete", custom_roles.delete),
    ("GET", f"{POOL}:listAttestationRules",
     "iam.projects.locations.workloadIdentityPools.listAttestationRules", pools.attestation_rules),
    *pool_routes(POOLS, POOL, "iam.projects.locations.workloadIdentityPools"),
    *pool_routes(PROVIDERS, PROVIDER, "iam.projects.locations.workloadIdentityPools.providers"),
]  # fmt: skip
REASONS = {400: "badRequest", 403: "forbidden", 404: "notFound", 409: "alreadyExists"}


def routes(cloud: Cloud, tokens: Tokens) -> list[BaseRoute]:
    """Every method of the table, under /v1."""
    return [_route(cloud, tokens, *row) for row in TABLE]


def _route(
    cloud: Cloud, tokens: Tokens, verb: str, path: str, method: str, rule: Rule
) -> BaseRoute:
    async def endpoint(request: Request) -> JSONResponse:
        names, query = request.path_params, request.query_params
        try:
            body = await body_of(request)
            call = Call(cloud, tokens, method, names, query, body, request.scope["caller"])
            # Keys are made and used in a thread: RSA takes its time.
            return JSONResponse(await run_in_threadpool(_answered, call, rule))
        except ApiError as error:
            return _refusal(error)

    return Route(f"/v1/{path}", endpoint, methods=[verb])


def _answered(call: Call, rule: Rule) -> Body:
    call.check_right()
    return rule(call)


def _refusal(error: ApiError) -> JSONResponse:
    """One Platform's form, with the list of errors that this API's old clients read."""
    body = error_body(error)
    reason = REASONS.get(error.http_code, "backendError")
    body["error"]["errors"] = [{"message": error.message, "domain": "global", "reason": reason}]
    return JSONResponse(body, error.http_code)
