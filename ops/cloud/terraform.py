"""Terraform in a folder of its own: one method, one call, and its JSON output read, not its prose.

python-terraform writes the arguments; the process is started here (`terraform_process.py`), with
an environment that the session makes. Every failure is an OpsError (`terraform_failures.py`).
"""

from __future__ import annotations

import json
import shutil
import subprocess
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ops.cloud import terraform_failures, terraform_process
from ops.cloud.session import Session
from ops.cloud.terraform_process import Ended, Event, Said
from ops.errors import Code, OpsError
from ops.settings import Settings

PLAN, STATE_PREFIX = "saved.tfplan", "infra"
INIT_SECONDS = 300.0
READ_SECONDS = 120.0
# Terraform's own 10 let the bucket's three grants wait for those of the project, which go out
# together anyway: 28.6 s became 24.1 for a stack of 51 resources.
AT_ONCE = 30
INSTALL = "Install Terraform 1.9 or newer (developer.hashicorp.com/terraform/install)"


def unheard(_event: Event) -> None:
    """Nobody listens."""


@dataclass(frozen=True)
class Versions:
    """Terraform's own version, and those of the providers that `init` chose, by name."""

    terraform: str
    providers: Mapping[str, str]


@dataclass(frozen=True)
class Resource:
    """A resource in the state, with its attributes."""

    address: str
    type: str
    values: Mapping[str, Any]


class Terraform:
    """Terraform in `folder`, with this environment and no other; settings are for its errors.

    `init_environment` is for `init`, which alone asks a registry.

    NO_TERRAFORM when the program is not to be had, or `init` cannot get the provider. BUSY when
    somebody else holds the state's lock.
    """

    def __init__(
        self,
        folder: Path,
        environment: Mapping[str, str],
        settings: Settings,
        init_environment: Mapping[str, str] | None = None,
    ) -> None:
        self.folder = folder
        self._environment = environment
        self._init_environment = init_environment or environment
        self._settings = settings
        self._program = program(environment)

    def versions(self) -> Versions:
        """What runs here; providers only after `init`."""
        found = self._read("version")
        chosen = found.get("provider_selections") or {}
        by_name = {name.rpartition("/")[2]: version for name, version in chosen.items()}
        return Versions(str(found["terraform_version"]), by_name)

    def fetch(self, said: Said = unheard, *, max_seconds: float = INIT_SECONDS) -> None:
        """Fetch the provider, and leave the state alone: there may be no bucket for it yet."""
        self._init(self._run("init", said, max_seconds, backend=False), max_seconds)

    def init(self, bucket: str, said: Said = unheard, *, max_seconds: float = INIT_SECONDS) -> None:
        """Fetch the provider and join the state in `gs://BUCKET/infra`."""
        backend = {"bucket": bucket, "prefix": STATE_PREFIX}
        done = self._run("init", said, max_seconds, backend_config=backend, reconfigure=True)
        self._init(done, max_seconds)

    def plan(
        self,
        said: Said = unheard,
        *,
        destroy: bool = False,
        refresh: bool = True,
        targets: Sequence[str] = (),
    ) -> dict[str, Any]:
        """What would change, as `terraform show -json` says; saved for `apply`.

        Without `refresh` the state is taken at its word and nothing is read from the cloud; with
        `targets` only these addresses, and what they depend on, are looked at.
        """
        done = self._run(
            "plan",
            said,
            out=PLAN,
            parallelism=AT_ONCE,
            destroy=destroy or None,
            refresh=None if refresh else False,
            target=list(targets),
        )
        self._judge(done, "plan")
        return self._read("show", PLAN)

    def apply(self, said: Said = unheard) -> None:
        """Do what the last plan said."""
        self._judge(self._run("apply", said, None, PLAN, parallelism=AT_ONCE), "apply")

    def destroy(self, said: Said = unheard) -> None:
        """Delete everything in the state, as the state itself allows."""
        done = self._run("destroy", said, auto_approve=True, parallelism=AT_ONCE)
        self._judge(done, "destroy")

    def outputs(self) -> dict[str, Any]:
        """The outputs' values, by name; {} when nothing was applied yet."""
        return {name: one["value"] for name, one in self._read("output").items()}

    def resources(self) -> list[Resource]:
        """What is in the state, data sources left out."""
        return resources_of(self._read("show"))

    def force_unlock(self, generation: int) -> None:
        """Release the state's lock of that generation; `state_bucket.release` needs no init."""
        arguments = self._arguments("force-unlock", str(generation), force=True)
        self._judge(self._short(arguments), "force-unlock")

    def _init(self, done: Ended, max_seconds: float) -> None:
        if done.exit_code is None:
            raise OpsError(
                Code.NO_TERRAFORM,
                f"terraform init did not get the provider within {max_seconds:.0f} s.",
                terraform_failures.MIRROR,
            )
        self._judge(done, "init")

    def _run(
        self,
        command: str,
        said: Said,
        max_seconds: float | None = None,
        *words: str,
        **options: Any,
    ) -> Ended:
        arguments = self._arguments(command, *words, json=True, input_=False, **options)
        environment = self._init_environment if command == "init" else self._environment
        return terraform_process.run(arguments, self.folder, environment, said, max_seconds)

    def _read(self, command: str, *words: str) -> dict[str, Any]:
        """One JSON document, for commands that only read."""
        done = self._short(self._arguments(command, *words, json=True))
        self._judge(done, command)
        return dict(done.events[0]) if done.events else {}

    def _short(self, arguments: list[str]) -> Ended:
        try:
            done = subprocess.run(
                arguments,
                cwd=self.folder,
                env=self._environment,
                stdin=subprocess.DEVNULL,
                capture_output=True,
                text=True,
                timeout=READ_SECONDS,
                check=False,
            )
        except subprocess.TimeoutExpired:
            return Ended(None, (), "")
        document = (json.loads(done.stdout),) if done.stdout.startswith("{") else ()
        return Ended(done.returncode, document, done.stderr.strip())

    def _arguments(self, command: str, *words: str, **options: Any) -> list[str]:
        """The command line; True is a flag, a mapping several options, None none."""
        from python_terraform import IsFlagged
        from python_terraform import Terraform as Writer

        # It reads the state file of its working folder: of one that is not there, it has none.
        writer = Writer(working_dir=str(self.folder / "none"), terraform_bin_path=self._program)
        flagged = {
            key.rstrip("_"): IsFlagged if value is True else value for key, value in options.items()
        }
        written: list[str] = writer.generate_cmd_string(command, *words, **flagged)
        return written

    def _judge(self, done: Ended, command: str) -> None:
        if done.exit_code != 0:
            raise terraform_failures.explain(done, command, self._settings)


def of(session: Session) -> Terraform:
    """Terraform for the session's stack, in its working folder, with the session's environment."""
    return Terraform(
        working_folder(session.settings),
        session.terraform_environment(),
        session.settings,
        session.terraform_environment(for_init=True),
    )


def program(environment: Mapping[str, str]) -> str:
    """The path of Terraform itself; NO_TERRAFORM when there is none."""
    found = shutil.which(terraform_process.PROGRAM, path=environment.get("PATH"))
    if found is None:
        raise OpsError(Code.NO_TERRAFORM, "The program terraform was not found.", f"{INSTALL}.")
    return str(Path(found).absolute())


def working_folder(settings: Settings) -> Path:
    """`.ops/STACK/terraform`, absolute: where Terraform works for this stack."""
    return (settings.state_dir / settings.stack / "terraform").absolute()


def resources_of(state: Mapping[str, Any]) -> list[Resource]:
    """The resources of a state as JSON, such as the `prior_state` of a plan; no data sources."""
    root = state.get("values", {}).get("root_module", {})
    return [
        Resource(one["address"], one["type"], one["values"])
        for one in _within(root)
        if one["mode"] == "managed"
    ]


def _within(module: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
    yield from module.get("resources", [])
    for child in module.get("child_modules", []):
        yield from _within(child)
