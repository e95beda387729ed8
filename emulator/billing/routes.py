"""Routes of Cloud Billing v1 and of Cloud Billing Budgets v1."""

from __future__ import annotations

from pathlib import Path

from starlette.requests import Request
from starlette.responses import JSONResponse
from starlette.routing import Route

from emulator.billing import accounts, budgets, policies
from emulator.cloud import Cloud
from emulator.errors import ApiError
from emulator.iam import enforce, policy_changes
from emulator.resourcemanager.bodies import body_of, only
from emulator.typed_api import TypedApi

FOLDER = Path(__file__).parent
ACCOUNT_HANDLERS = {
    "GetBillingAccount": accounts.get,
    "ListBillingAccounts": accounts.listed,
    "GetProjectBillingInfo": accounts.project_info,
    "UpdateProjectBillingInfo": accounts.update_project_info,
    "ListProjectBillingInfo": accounts.account_projects,
}
BUDGET_HANDLERS = {
    "CreateBudget": budgets.create,
    "GetBudget": budgets.get,
    "ListBudgets": budgets.listed,
    "UpdateBudget": budgets.update,
    "DeleteBudget": budgets.delete,
}


def routes(cloud: Cloud) -> list[Route]:
    """`billingAccounts`, `projects/P/billingInfo` and `billingAccounts/A/budgets`."""
    budget = TypedApi(cloud, FOLDER / "budget_tables", BUDGET_HANDLERS)
    billing = TypedApi(cloud, FOLDER / "tables", ACCOUNT_HANDLERS)
    return [
        *_policy_routes(cloud),
        *budget.routes(
            "/v1/billingAccounts/{account}/budgets", "/v1/billingAccounts/{account}/budgets/{id}"
        ),
        *billing.routes(
            "/v1/projects/{project}/billingInfo",
            "/v1/billingAccounts",
            "/v1/billingAccounts/{account}",
            "/v1/billingAccounts/{account}/projects",
        ),
    ]


def _policy_routes(cloud: Cloud) -> list[Route]:
    """The three IAM methods of a billing account."""

    async def get_policy(request: Request) -> JSONResponse:
        version = request.query_params.get("options.requestedPolicyVersion", "0")
        if not version.isdigit():
            raise ApiError("INVALID_ARGUMENT", f"Invalid requested policy version: {version}")
        return JSONResponse(policies.get(cloud, _name(request), int(version)))

    async def set_policy(request: Request) -> JSONResponse:
        body = await body_of(request)
        only(body, "policy", "updateMask")
        policy_changes.check_mask(body.get("updateMask"))
        return JSONResponse(policies.replace(cloud, _name(request), body.get("policy")))

    async def test_permissions(request: Request) -> JSONResponse:
        body = await body_of(request)
        only(body, "permissions")
        sent = body.get("permissions") or []
        if not isinstance(sent, list):
            raise ApiError("INVALID_ARGUMENT", "Invalid value at 'permissions': expected a list.")
        target = policies.target(cloud, _name(request))
        asked = [str(one) for one in sent]
        found = enforce.granted(cloud, request.scope["caller"], asked, target)
        return JSONResponse({"permissions": found} if found else {})

    path = "/v1/billingAccounts/{account}"
    return [
        Route(f"{path}:getIamPolicy", get_policy, methods=["GET"]),
        Route(f"{path}:setIamPolicy", set_policy, methods=["POST"]),
        Route(f"{path}:testIamPermissions", test_permissions, methods=["POST"]),
    ]


def _name(request: Request) -> str:
    """`billingAccounts/A` of the path. INVALID_ARGUMENT for what is none."""
    name = f"billingAccounts/{request.path_params['account']}"
    accounts.check(name)
    return name
