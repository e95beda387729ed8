"""The retry suite of Google's Python client, run against the local cloud's `/retry_test`.

`python -m bench.retry_conformance FOLDER`, where FOLDER is a checkout of googleapis/python-storage
(tests/conformance/test_conformance.py; it takes ten minutes, its uploads are of 9 MiB). The suite
would start storage-testbench by `docker`; it finds one that does nothing, and our server at
STORAGE_EMULATOR_HOST. Its HMAC keys are of an account that has to be there.
"""

import json
import os
import subprocess
import sys
import tempfile
import urllib.request
from pathlib import Path

from tests.local_cloud import clean_environment, running_cloud

SUITE = "tests/conformance/test_conformance.py"
PROJECT, ACCOUNT = "my-project-id", "my-service-account"


def main() -> int:
    """Pytest's exit code; the last lines say how many passed."""
    if len(sys.argv) < 2 or not (Path(sys.argv[1]) / SUITE).is_file():
        print(__doc__)
        return 2
    with tempfile.TemporaryDirectory() as folder:
        docker = Path(folder) / "bin" / "docker"
        docker.parent.mkdir()
        docker.write_text("#!/bin/sh\nexit 0\n")
        docker.chmod(0o755)
        with running_cloud(Path(folder) / "data", "--allow-keys") as cloud:
            make_account(cloud.url)
            path = f"{docker.parent}{os.pathsep}{os.environ['PATH']}"
            environment = clean_environment(STORAGE_EMULATOR_HOST=cloud.url, PATH=path)
            command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", SUITE]
            return subprocess.run(
                [*command, *sys.argv[2:]], cwd=sys.argv[1], env=environment, check=False
            ).returncode


def make_account(url: str) -> None:
    """The service account of the suite's HMAC keys is there."""
    request = urllib.request.Request(
        f"{url}/v1/projects/{PROJECT}/serviceAccounts",
        json.dumps({"accountId": ACCOUNT}).encode(),
        {"content-type": "application/json"},
    )
    with urllib.request.urlopen(request):
        pass


if __name__ == "__main__":
    sys.exit(main())
