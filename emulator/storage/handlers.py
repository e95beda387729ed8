"""What belongs to no bucket or object: the service agent, and what is not here yet."""

from __future__ import annotations

from emulator.cloud import Cloud
from emulator.resourcemanager import projects
from emulator.storage.errors import StorageError
from emulator.storage.http import Call, Reply, json_reply


async def service_account(cloud: Cloud, call: Call) -> Reply:
    """`GET projects/PROJECT/serviceAccount`: the address of Cloud Storage's own agent."""
    number = projects.number(cloud, projects.canonical(cloud, call.names[0]))
    address = f"service-{number}@gs-project-accounts.iam.gserviceaccount.com"
    return json_reply({"kind": "storage#serviceAccount", "email_address": address})


async def missing(_: Cloud, call: Call) -> Reply:
    """501 with the name, for what Google has and the local cloud has not."""
    message = f"The local Cloud Storage does not have {call.method} {call.path} yet."
    raise StorageError(501, "notImplemented", message)
