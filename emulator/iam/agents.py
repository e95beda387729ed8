"""The accounts that Vertex AI itself acts as in a project, with the roles Google gives them.

An agent is made, and its role granted in the project's policy, when it is first needed; who takes
the role away again has taken it away. docs.cloud.google.com/iam/docs/create-service-agents, as of
2026-05-30: agents are "created automatically", "sometimes" with roles.
"""

from __future__ import annotations

from emulator.cloud import Cloud
from emulator.iam import service_accounts
from emulator.iam.service_accounts import Account
from emulator.resourcemanager import policies, projects
from emulator.tokens import Caller

# Google's own project of the agents, which their addresses name, and their role.
VERTEX = ("gcp-sa-aiplatform", "roles/aiplatform.serviceAgent")
CUSTOM_CODE = ("gcp-sa-aiplatform-cc", "roles/aiplatform.customCodeServiceAgent")

Kind = tuple[str, str]


def email(cloud: Cloud, project_id: str, kind: Kind = VERTEX) -> str:
    """The address of an agent of a project."""
    return f"service-{projects.number(cloud, project_id)}@{kind[0]}.iam.gserviceaccount.com"


def ensure(cloud: Cloud, project_id: str, kind: Kind = VERTEX) -> Account:
    """The agent as an account, with its role if it was not there before."""
    address = email(cloud, project_id, kind)
    found = service_accounts.find(cloud, address)
    if found is not None:
        return found
    with cloud.store.transaction():
        policies.bind(cloud, project_id, kind[1], f"serviceAccount:{address}")
        return service_accounts.add(cloud, kind[0], address)


def caller(cloud: Cloud, project_id: str, kind: Kind = VERTEX) -> Caller:
    """The agent as one who asks."""
    return Caller(ensure(cloud, project_id, kind).email, owner=False)
