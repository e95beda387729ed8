"""A folder for the real Terraform that needs no provider but the one in the program itself.

Run as a program it applies what is planned in a folder, for tests that interrupt or kill it:
`python -m tests.ops.terraform_folder FOLDER STATE_DIR`.
"""

import json
import shutil
import sys
from collections.abc import Mapping
from pathlib import Path

import pytest

from ops import settings
from ops.cloud.terraform import Terraform
from ops.cloud.terraform_process import Event

CONFIGURATION = """
terraform {
  backend "gcs" {}
}
variable "words" {
  type    = list(string)
  default = ["one", "two"]
}
resource "terraform_data" "word" {
  for_each = toset(var.words)
  input    = each.value
}
output "words" {
  value = [for one in terraform_data.word : one.output]
}
"""
# Begins when its sibling is done, and takes its time.
SLOW = """
resource "terraform_data" "slow" {
  depends_on = [terraform_data.word]
  provisioner "local-exec" {
    command = "touch begun; sleep SECONDS"
  }
}
"""
BEGUN, ENVIRONMENT, SAID = "begun", "environment.json", "said.jsonl"

needs_terraform = pytest.mark.skipif(
    shutil.which("terraform") is None,
    reason="needs the program terraform (developer.hashicorp.com/terraform/install)",
)


def write(folder: Path, environment: Mapping[str, str], *, slow_seconds: int = 0) -> None:
    """Put the configuration and the environment into the folder."""
    slow = SLOW.replace("SECONDS", str(slow_seconds)) if slow_seconds else ""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "main.tf").write_text(CONFIGURATION + slow)
    (folder / ENVIRONMENT).write_text(json.dumps(dict(environment)))


def read(folder: Path, state_dir: Path) -> Terraform:
    """Terraform in that folder, with that environment."""
    environment = json.loads((folder / ENVIRONMENT).read_text())
    where = settings.read({}, {settings.STATE_DIR: str(state_dir)}, folder)
    return Terraform(folder, environment, where)


def main(folder: Path, state_dir: Path) -> None:
    """Apply the saved plan, and write down each event that is heard."""
    with (folder / SAID).open("w") as said:

        def heard(event: Event) -> None:
            print(json.dumps(event), file=said, flush=True)

        read(folder, state_dir).apply(heard)


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]))
