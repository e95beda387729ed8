"""`ops` and the local cloud as benchmarks use them: a cloud of their own that ends with them."""

import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[1]
CLOTHING = ROOT.parent / "shared" / "datasets" / "clothing"
OPS = Path(sys.executable).with_name("ops")
OTHER_CLOUDS = ("GOOGLE_", "STORAGE_EMULATOR_HOST", "CLOUDSDK_", "OPS_", "GCLOUD_")


@dataclass(frozen=True)
class Local:
    """A local cloud under `folder`, and the real commands on it."""

    folder: Path

    def ops(self, *words: str) -> Mapping[str, Any]:
        """The result of a command; its progress is shown if it fails."""
        done = subprocess.run(
            [str(OPS), *words, "--json"],
            cwd=self.folder,
            env=self.variables(),
            capture_output=True,
            text=True,
            check=False,
        )
        if done.returncode != 0:
            raise RuntimeError(f"ops {' '.join(words)}: {done.stderr}")
        return dict(json.loads(done.stdout)["result"])

    def variables(self) -> dict[str, str]:
        """The environment that leads `ops` here, and nothing that leads elsewhere."""
        kept = {k: v for k, v in os.environ.items() if not k.startswith(OTHER_CLOUDS)}
        return {**kept, "OPS_EMULATOR_DATA": str(self.data), "OPS_STATE_DIR": str(self.folder)}

    @property
    def data(self) -> Path:
        """The server's data folder."""
        return self.folder / "cloud"

    @property
    def url(self) -> str:
        """Where the server is."""
        return str(json.loads((self.data / "server.json").read_text())["url"])


@contextmanager
def local() -> Iterator[Local]:
    """A fresh local cloud; its server, jobs and prediction servers end with the block."""
    with tempfile.TemporaryDirectory(prefix="ops-bench-") as folder:
        cloud = Local(Path(folder))
        try:
            cloud.ops("emulator", "start")
            yield cloud
        finally:
            end(cloud)


def end(cloud: Local) -> None:
    """Kill what runs on this cloud's folder: the server, its jobs and prediction servers."""
    import psutil

    for process in psutil.process_iter(["cmdline"]):
        words = process.info["cmdline"] or []
        if any(str(cloud.folder) in word for word in (*words, *_environment(process))):
            process.kill()
            process.wait(timeout=10)


def _environment(process: Any) -> list[str]:
    """The values of a process's variables; none for one that may not be read or is gone."""
    import psutil

    try:
        return [str(value) for value in process.environ().values()]
    except psutil.Error:
        return []
