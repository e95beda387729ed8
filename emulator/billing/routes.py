"""Routes of Cloud Billing v1 and of Cloud Billing Budgets v1."""

from __future__ import annotations

from pathlib import Path

from starlette.requests import Request
from starlette.responses import JSONResponse
from starlette.routing import Route

from emulator.billing import accounts, budgets
from emulator.cloud import Cloud
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

    async def test_permissions(request: Request) -> JSONResponse:
        """Billing accounts are nobody's here: every caller has every right on them."""
        accounts.check(f"billingAccounts/{request.path_params['account']}")
        body = await body_of(request)
        only(body, "permissions")
        return JSONResponse({"permissions": [str(one) for one in body.get("permissions", [])]})

    budget = TypedApi(cloud, FOLDER / "budget_tables", BUDGET_HANDLERS)
    billing = TypedApi(cloud, FOLDER / "tables", ACCOUNT_HANDLERS)
    test = "/v1/billingAccounts/{account}:testIamPermissions"
    return [
        Route(test, test_permissions, methods=["POST"]),
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
