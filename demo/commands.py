"""The real `ops` commands, typed one after the other as a person would."""

import json
import os
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

OPS = Path(sys.executable).with_name("ops")
STACK = "demo"


class StepError(Exception):
    """A command ended with `exit_code`; it has said why on standard error."""

    def __init__(self, command: str, exit_code: int) -> None:
        super().__init__(f"{command} ended with exit code {exit_code}")
        self.exit_code = exit_code


@dataclass(frozen=True)
class Commands:
    """Runs commands in the demo's own stack and, locally, on the demo's own cloud in `folder`."""

    folder: Path
    target: str | None = None
    variables: Mapping[str, str] = field(default_factory=dict)

    def run(self, *words: str) -> dict[str, Any]:
        """The result of `ops WORDS… --json`; progress and prices go to standard error as usual."""
        shown = " ".join(["ops", *words])
        print(f"\n$ {shown}", file=sys.stderr, flush=True)
        command = [str(OPS), *words, "--json"]
        if self.target and words[0] != "emulator":
            command += ["--target", self.target]
        done = subprocess.run(command, env=self.environment(), stdout=subprocess.PIPE, text=True)
        answer = json.loads(done.stdout) if done.stdout.strip() else {}
        if done.returncode != 0:
            raise StepError(shown, done.returncode)
        return dict(answer["result"])

    def storage_client(self) -> Any:
        """Google's storage client, led to the demo's cloud unless the target is gcp."""
        from google.auth.credentials import AnonymousCredentials
        from google.cloud import storage

        if self.target == "gcp":
            return storage.Client()
        server = json.loads((self.folder / "cloud" / "server.json").read_text())
        return storage.Client(
            project="demo",
            credentials=AnonymousCredentials(),  # type: ignore[no-untyped-call]
            client_options={"api_endpoint": server["url"]},
        )

    def environment(self) -> dict[str, str]:
        """The caller's environment, with the demo's stack and data folder."""
        own = {"OPS_STACK": STACK, "OPS_EMULATOR_DATA": str(self.folder / "cloud")}
        return {**os.environ, **own, **self.variables}
