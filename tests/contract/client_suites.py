"""The client libraries' own tests against the local cloud, as on Google.

    python -m tests.contract.client_suites python-storage FOLDER --python PYTHON
    python -m tests.contract.client_suites gcsfs FOLDER --python PYTHON

FOLDER is a clone of googleapis/python-storage or fsspec/gcsfs, PYTHON an interpreter with that
project's test requirements. They see Google's own host names: a proxy with a certificate authority
of its own leads them here. What follows `--` goes to pytest.
"""

from __future__ import annotations

import argparse
import subprocess
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path

import httpx

from tests.google_proxy import google_proxy
from tests.local_cloud import LocalCloud, clean_environment, running_cloud

ACCOUNT = "local@local-project.iam.gserviceaccount.com"
# Left out: what needs another service (KMS, Pub/Sub) or gRPC (zonal buckets).
WITHOUT = ("kms_integration", "notification", "zonal")
# The project that pays where the requester does.
PAYER = {"GOOGLE_CLOUD_TESTS_USER_PROJECT": "local-project"}
PYTEST = ["-m", "pytest", "-q", "--timeout", "90", "-p", "no:cacheprovider"]
PLUGIN = ["-p", "google_hosts"]


def python_storage(cloud: LocalCloud, folder: Path, python: str, more: list[str]) -> int:
    """System tests of google-cloud-storage."""
    _prepare(cloud)
    left_out = [f"--ignore=tests/system/test_{name}.py" for name in WITHOUT]
    command = [python, *PYTEST, *PLUGIN, *left_out, "tests/system", *more]
    return _by_proxy(cloud, folder, command, PAYER)


def gcsfs(cloud: LocalCloud, folder: Path, python: str, more: list[str]) -> int:
    """Tests of gcsfs."""
    names = {"gcsfs_test": {}, "gcsfs_test_versioned": {"versioning": {"enabled": True}}}
    for name, fields in names.items():
        url = f"{cloud.url}/storage/v1/b?project=local-project"
        httpx.post(url, json={"name": name, **fields}).raise_for_status()
    _administer_storage_alone(cloud)
    suites = ["test_core", "test_core_versioned", "test_mapping", "test_manyopens", "test_caching"]
    paths = [f"gcsfs/tests/{name}.py" for name in suites]
    real = {
        "STORAGE_EMULATOR_HOST": "https://storage.googleapis.com",
        "GCSFS_EXPERIMENTAL_ZB_HNS_SUPPORT": "false",
        "GCSFS_TEST_PROJECT": "local-project",
    }
    return _by_proxy(cloud, folder, [python, *PYTEST, *PLUGIN, *(more or paths)], real)


def _administer_storage_alone(cloud: LocalCloud) -> None:
    """Leaves the account the roles of one that tests, who may not bill a bucket's own project."""
    roles = ("roles/storage.admin", "roles/serviceusage.serviceUsageConsumer")
    bindings = [{"role": role, "members": [f"serviceAccount:{ACCOUNT}"]} for role in roles]
    url = f"{cloud.url}/v1/projects/local-project:setIamPolicy"
    httpx.post(url, json={"policy": {"bindings": bindings}}).raise_for_status()


def _by_proxy(cloud: LocalCloud, folder: Path, command: list[str], more: dict[str, str]) -> int:
    """Runs a suite that believes it speaks with Google; names of others are printed."""
    with google_proxy(cloud.url) as proxy:
        variables = proxy.variables("suite", cloud.data.parent)
        variables |= {"NO_PROXY": "127.0.0.1,localhost", "NO_GCE_CHECK": "true"}
        variables |= {name.lower(): variables[name] for name in ("HTTPS_PROXY", "NO_PROXY")}
        variables |= {
            "GOOGLE_APPLICATION_CREDENTIALS": str(cloud.data / "service-account.json"),
            "GOOGLE_CLOUD_PROJECT": "local-project",
            "PYTHONPATH": str(Path(__file__).parent),
        }
        environment = clean_environment(**variables) | more
        code = subprocess.call(command, cwd=folder, env=environment)
        if proxy.strays:
            print("asked for and refused:", *sorted(set(proxy.strays)), sep="\n  ")
    return code


def _prepare(cloud: LocalCloud) -> None:
    """What the suite expects of Google's own project: a public bucket, an account that signs."""
    public = "gcp-public-data-landsat"
    with httpx.Client(base_url=cloud.url) as http:
        http.post("/storage/v1/b?project=gcp-public", json={"name": public}).raise_for_status()
        url = f"/upload/storage/v1/b/{public}/o?uploadType=media&name=index.csv.gz"
        http.post(url, content=b"rows").raise_for_status()
        role, member = "roles/iam.serviceAccountTokenCreator", f"serviceAccount:{ACCOUNT}"
        policy = {"policy": {"bindings": [{"role": role, "members": [member]}]}}
        url = f"/v1/projects/-/serviceAccounts/{ACCOUNT}:setIamPolicy"
        http.post(url, json=policy).raise_for_status()
        url = "/v1/projects/local-project"
        project = http.post(f"{url}:getIamPolicy", json={}).json()
        # An owner of a project has no right to move objects: Google's page of roles.
        project["bindings"].append({"role": "roles/storage.admin", "members": [member]})
        http.post(f"{url}:setIamPolicy", json={"policy": project}).raise_for_status()


SUITES: dict[str, Callable[[LocalCloud, Path, str, list[str]], int]] = {
    "python-storage": python_storage,
    "gcsfs": gcsfs,
}


def main() -> int:
    """The exit code of the suite's pytest."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("suite", choices=SUITES)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--python", default=sys.executable)
    mine, _, more = "\0".join(sys.argv[1:]).partition("\0--\0")
    options = parser.parse_args(mine.split("\0"))
    with (
        tempfile.TemporaryDirectory() as folder,
        running_cloud(Path(folder) / "data", "--allow-keys") as cloud,
    ):
        folder_of_suite = options.folder.resolve()
        behind = more.split("\0") if more else []
        return SUITES[options.suite](cloud, folder_of_suite, options.python, behind)


if __name__ == "__main__":
    sys.exit(main())
