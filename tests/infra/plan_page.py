"""The list in docs/infra.md: the plan of a full stack on Google, resource by resource.

`python -m tests.infra.plan_page` writes it anew, with the provider that Terraform finds.
Nothing is asked of Google: the credentials are made up, and the project's number is given.
"""

from __future__ import annotations

import json
import shutil
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from ops.pricing import at_rest
from ops.workflows import bootstrap_words
from ops.workflows.bootstrap_words import Change
from tests.infra import terraform_stack
from tests.infra.hcl_files import INFRA
from tests.infra.test_readmes import examples
from tests.local_cloud import ROOT, clean_environment

PAGE = ROOT / "docs" / "infra.md"
BEGIN = "<!-- plan: python -m tests.infra.plan_page -->\n"
END = "<!-- end of the plan -->\n"
# The state stays in the folder: to read it from a bucket, Google would have to be asked.
HERE = 'terraform {\n  backend "local" {}\n}\n'
MADE_UP = {"GOOGLE_OAUTH_ACCESS_TOKEN": "made-up", "HTTPS_PROXY": terraform_stack.NOWHERE}


def main() -> None:
    """Write the list anew."""
    folder = Path(tempfile.mkdtemp(prefix="plan-"))
    try:
        PAGE.write_text(with_plan(full_plan(folder)))
    finally:
        shutil.rmtree(folder)


def full_plan(folder: Path) -> dict[str, Any]:
    """The plan of README's stack with everything, as `terraform show -json` has it."""
    terraform_stack.copied(folder)
    (folder / "stack.auto.tfvars").write_text(examples(INFRA)[1])
    (folder / "state_override.tf").write_text(HERE)
    plain = {**clean_environment(), **terraform_stack.QUIET}
    _run(folder, plain, "init", "-no-color")
    _run(folder, {**plain, **MADE_UP}, "plan", "-no-color", "-out=saved.tfplan")
    found: dict[str, Any] = json.loads(_run(folder, plain, "show", "-json", "saved.tfplan"))
    return found


def with_plan(plan: Mapping[str, Any]) -> str:
    """The page, with the list that the plan gives."""
    before, _, rest = PAGE.read_text().partition(BEGIN)
    _, _, after = rest.partition(END)
    return f"{before}{BEGIN}\n{listed(plan)}\n{END}{after}"


def listed(plan: Mapping[str, Any]) -> str:
    """A row a resource, and the sum."""
    changes = bootstrap_words.changes(plan)
    region = str(plan["variables"]["region"]["value"])
    cost = at_rest.of((one.type for one in changes), region)
    rows = [f"| `{one.address}` | {_words(one)} | {_cost(one, region)} |" for one in changes]
    total = f"{len(changes)} resources, ${cost.usd:.4f} a month with nothing stored"
    parts = ", ".join(f"{one.what} ${one.usd:.4f}" for one in cost.now)
    stored = ", ".join(f"{one.what} ${one.usd:.2f}" for one in cost.stored)
    head = ["| address | what | $ a month at rest |", "|---|---|---|"]
    return "\n".join([*head, *rows, "", f"{total} ({parts}); then {stored}.", ""])


def _words(one: Change) -> str:
    said = one.as_json()
    return f"{said['kind']} {said['name']}".strip()


def _cost(one: Change, region: str) -> str:
    """What one resource costs: by what is stored in it, or nothing."""
    stored = at_rest.of([one.type], region).stored
    return f"{stored[0].usd:.2f} {stored[0].what}" if stored else "0"


def _run(folder: Path, environment: Mapping[str, str], *arguments: str) -> str:
    done = terraform_stack.run(folder, environment, *arguments)
    assert done.exit_code == 0, done.text[-6000:]
    return done.text


if __name__ == "__main__":
    main()
