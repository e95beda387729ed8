"""The real `ops` commands, typed one after the other as a person would."""

import json
import os
import subprocess
import sys
from collections.abc import Mapping, Sequence
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

    @property
    def agreed(self) -> tuple[str, ...]:
        """What agrees to everything where nothing is billed; on Google the person is asked."""
        return () if self.target == "gcp" else ("--yes",)

    def show(self, *words: str) -> None:
        """Run `ops WORDS…` as a person sees it."""
        self._run(words, None)

    def tell(self, *words: str) -> dict[str, Any]:
        """The same, and its result: the second call finds everything done."""
        self.show(*words)
        return self.run(*words, quiet=True)

    def run(self, *words: str, quiet: bool = False) -> dict[str, Any]:
        """The result of `ops WORDS… --json`; prices and progress are seen, unless `quiet`."""
        out = self._run((*words, "--json"), subprocess.PIPE, quiet=quiet)
        return dict(json.loads(out)["result"])

    def _run(self, words: Sequence[str], stdout: int | None, *, quiet: bool = False) -> str:
        shown = " ".join(["ops", *(word for word in words if word != "--json")])
        command = [str(OPS), *words]
        if self.target and words[0] != "emulator":
            command += ["--target", self.target]
        if not quiet:
            print(f"\n$ {shown}", file=sys.stderr, flush=True)
        done = subprocess.run(
            command,
            env=self.environment(),
            stdout=stdout,
            stderr=subprocess.DEVNULL if quiet else None,
            text=True,
        )
        if done.returncode != 0:
            raise StepError(shown, done.returncode)
        return done.stdout or ""

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
        own["OPS_STATE_DIR"] = str(self.folder / "state")
        return {**os.environ, **own, **self.variables}
