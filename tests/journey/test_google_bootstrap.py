"""`ops bootstrap` and `ops teardown` on Google, as the proxy hands it out, with the real provider.

Nothing is redirected but by the proxy: Terraform, its state and its provider speak to Google's own
names, with the credentials of the user.
"""

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.infra.terraform_stack import provider_version
from tests.journey.google_journey import PROJECT, GoogleUser, google_user

TOML = """
[infra]
automl_members = ["user:ada@example.com"]
budget = { billing_account = "012345-567890-ABCDEF", amount = 50, email = "ada@example.com" }
deletion_protection = false
github = { owner_id = "1234", repository_id = "567890" }
"""
# What Terraform asks beside what `ops` does; the last is the provider's look-up of who calls.
HOSTS = {
    "artifactregistry.googleapis.com",
    "billingbudgets.googleapis.com",
    "iam.googleapis.com",
    "monitoring.googleapis.com",
    "openidconnect.googleapis.com",
}


@pytest.fixture
def user(tmp_path: Path) -> Iterator[GoogleUser]:
    """Somebody whose project has billing, and nothing else yet."""
    provider = tmp_path / "provider"
    provider.mkdir()
    version, why = provider_version(provider)
    if not version:
        pytest.skip(why)
    with google_user(tmp_path) as found:
        found.pay()
        (found.home / "ops.toml").write_text(TOML)
        yield found


def test_bootstrapped_and_destroyed_on_google(user: GoogleUser) -> None:
    """Asked first, then made; a second time nothing changes; in the end nothing is left."""
    asked = user.run("bootstrap", "--json")
    made = user.run("bootstrap", "--yes")
    again = user.run("bootstrap", "--json")
    gone = user.run("teardown", "--yes")

    assert asked.code == 5, asked.err
    assert json.loads(asked.out)["error"]["code"] == "needs-yes"
    assert f"Do this in project {PROJECT}?" in json.loads(asked.out)["error"]["message"]
    assert made.code == 0, made.err
    assert "At rest: <$0.01 a month (rates of" in made.err
    assert "here $0.00" not in made.err
    assert again.code == 0 and again.json["result"]["changes"] == [], again.err
    assert gone.code == 0, gone.err
    assert {one.host for one in user.proxy.exchanges} >= HOSTS
    assert user.proxy.strays == []


def test_without_terraform_google_cannot_be_prepared(user: GoogleUser, tmp_path: Path) -> None:
    """It is an error there, before anything is made."""
    ran = user.run("bootstrap", "--yes", "--json", PATH=str(tmp_path))

    assert ran.code == 4
    assert json.loads(ran.out)["error"]["code"] == "no-terraform"
    changing = [one for one in user.proxy.exchanges if one.method not in ("GET", "HEAD")]
    assert {one.target for one in changing} <= {"/token"} | {
        one.target for one in changing if one.target.endswith((":testIamPermissions", ":query"))
    }
