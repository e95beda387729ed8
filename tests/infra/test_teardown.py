"""`ops bootstrap` and `ops teardown` with the real provider: refused, killed, and gone at last."""

from __future__ import annotations

import os
import random
import re
import signal
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import psutil
import pytest

from tests.local_cloud import wait_until
from tests.ops.life import Life, living, until_said

pytestmark = pytest.mark.usefixtures("provider")

SEED = int(os.environ.get("OPS_TEST_SEED", "0")) or random.SystemRandom().randrange(1, 10**6)
BILLING = "012345-567890-ABCDEF"
SETTINGS = f"""
[infra]
automl_members = ["group:vision@example.com"]
deletion_protection = true
runner_may_bootstrap = true
contact_email = "ada@example.com"
budget = {{ billing_account = "{BILLING}", amount = 50, email = "ada@example.com" }}
github = {{ owner_id = "1234", repository_id = "567890" }}
gpu_quota = {{ t4 = {{ gpu = "NVIDIA_TESLA_T4", use = "training", count = 1 }} }}
"""
TEARDOWN = ("teardown", "--yes", "--unprotect")
PROJECT, ACCOUNT = "/v1/projects/local-project", f"/v1/billingAccounts/{BILLING}"
ACCOUNTS = "/v1/projects/local-project/serviceAccounts"
POOLS = "/v1/projects/local-project/locations/global/workloadIdentityPools"
BUDGETS = f"/v1/billingAccounts/{BILLING}/budgets"
CHANNELS = "/v3/projects/local-project/notificationChannels"
REPOSITORIES = "/v1/projects/local-project/locations/us-central1/repositories"
BUCKETS = "/storage/v1/b?project=local-project"


@pytest.fixture
def life(tmp_path: Path) -> Iterator[Life]:
    """A user with photos imported, and a stack in which everything is asked for."""
    with living(tmp_path) as user:
        (user.home / "ops.toml").write_text(SETTINGS)
        yield user


def left(life: Life) -> list[str]:
    """What a stack had and may not leave, asked of the cloud."""
    found: list[Any] = []
    for path in (ACCOUNTS, POOLS, BUDGETS, CHANNELS, REPOSITORIES, BUCKETS):
        for rows in life.asked(path).values():
            found += rows if isinstance(rows, list) else []
    names = [str(one["name"]) for one in found if "/local@" not in str(one["name"])]
    policies = life.posted(f"{PROJECT}:getIamPolicy"), life.asked(f"{ACCOUNT}:getIamPolicy")
    given = [one for policy in policies for one in policy.get("bindings", [])]
    return names + [one["role"] for one in given if re.search("default-|vision@", str(one))]


def kill(process: subprocess.Popen[str], folder: Path) -> None:
    """`kill -9` of `ops` and of the Terraform that it started."""
    process.send_signal(signal.SIGKILL)
    for one in psutil.process_iter(["name"]):
        if one.info["name"] == "terraform" and one.cwd() == str(folder):
            os.killpg(one.pid, signal.SIGKILL)
    process.communicate()


def test_refused_killed_gone_and_there_again(life: Life) -> None:
    """A refusal is told, a killed one is taken up; nothing is left, and all can be made anew."""
    print(f"seed {SEED}")
    life.result("bootstrap", "--yes")
    settings = life.home / "ops.toml"
    settings.rename(life.home / "elsewhere.toml")
    protected = life.run("teardown", "--yes")
    (life.home / "elsewhere.toml").rename(settings)
    assert protected.code == 5 and "as it was applied" in protected.err, protected.err
    life.posted(
        "/_emulator/faults",
        [{"method": "DELETE", "path_prefix": ACCOUNTS, "status": 403, "times": 9}],
    )
    refused = life.run(*TEARDOWN)
    life.deleted("/_emulator/faults")
    assert re.search(r"Forgotten, they stay: \d+\n(  .*\n)*?  \d+ APIs: ", refused.err)
    begun = life.begin(*TEARDOWN)
    until_said(begun, "To destroy")
    time.sleep(random.Random(SEED).uniform(0, 3))
    kill(begun, life.home / "state" / "default" / "terraform")

    gone = life.run(*TEARDOWN)

    assert (refused.code, gone.code) == (7, 0), refused.err + gone.err
    assert re.search(r"You may not do this: .*403.*ops teardown goes on with it", refused.err)
    assert left(life) == []
    made = life.run("bootstrap", "--yes")
    assert made.code == 0, made.err
    assert "Restored" in made.err and life.result("bootstrap", "--yes")["changes"] == []


def test_what_a_killed_bootstrap_left_goes_too(life: Life) -> None:
    """It is in no state, which the dead has locked: found by name, taken over, deleted."""
    begun = life.begin("bootstrap", "--yes")
    wait_until(lambda: {"roles/aiplatform.user", "roles/billing.costsManager"} <= {*left(life)})
    kill(begun, life.home / "state" / "default" / "terraform")

    gone = life.run(*TEARDOWN)

    assert gone.code == 0, gone.err
    assert "aiplatform.user (project): vision@example.com" in gone.err
    destroyed = re.search(r"Terraform destroyed (\d+) resources", gone.out)
    assert destroyed and f"To destroy, by Terraform: {destroyed[1]} resources" in gone.err
    assert left(life) == []
