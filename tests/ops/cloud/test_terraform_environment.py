"""What a Terraform process is given: all that leads it, and nothing of the caller's that would."""

import re
from pathlib import Path

from ops import settings
from ops.cloud.session import Session
from tests.local_cloud import LocalCloud

EMAIL = "runner@my-project.iam.gserviceaccount.com"
# What a shell may have in it that would lead Terraform, or somebody's credentials, elsewhere.
STRAY = {
    "GOOGLE_CREDENTIALS": "{}",
    "GOOGLE_OAUTH_ACCESS_TOKEN": "somebody",
    "GOOGLE_STORAGE_CUSTOM_ENDPOINT": "http://elsewhere/storage/v1/",
    "GOOGLE_PROJECT": "another",
    "TF_VAR_region": "asia-east1",
    "TF_CLI_ARGS_apply": "-target=nothing",
    "TF_WORKSPACE": "other",
    "TF_DATA_DIR": "/elsewhere",
}
KEPT = {
    "PATH": "/usr/bin",
    "HOME": "/home/you",
    "TF_CLI_CONFIG_FILE": "/home/you/terraformrc",
    "TF_PLUGIN_CACHE_DIR": "/home/you/cache",
    "TF_TOKEN_registry_example_com": "token",
}
PROXIES = {"HTTPS_PROXY": "http://proxy:3128", "NO_PROXY": "googleapis.com"}
ALWAYS = {
    "CHECKPOINT_DISABLE": "1",
    "TF_IN_AUTOMATION": "1",
    "TF_INPUT": "0",
    "TF_REGISTRY_CLIENT_TIMEOUT": "5",
}


def google_session(folder: Path, **variables: str) -> Session:
    """A session on Google, without credentials."""
    from google.auth.credentials import AnonymousCredentials

    found = settings.read({"target": "gcp", "project": "my-project"}, variables, folder)
    return Session(found, AnonymousCredentials())  # type: ignore[no-untyped-call]


def test_on_local_everything_leads_to_the_local_cloud(session: Session) -> None:
    """The endpoints are those of the server's own `env` file; the rest is nowhere."""
    environ = {**STRAY, **KEPT, **PROXIES, "GOOGLE_APPLICATION_CREDENTIALS": "/key.json"}

    found = session.terraform_environment(environ=environ)

    led = {name: value for name, value in found.items() if name.endswith("_CUSTOM_ENDPOINT")}
    assert found == {
        **KEPT, **ALWAYS, **led,
        "GOOGLE_OAUTH_ACCESS_TOKEN": "owner", "HTTPS_PROXY": "http://127.0.0.1:1",
    }  # fmt: skip
    assert all(value.startswith(f"{session.base_url}/") for value in led.values())
    assert all(
        re.search(r"/v[13]/$", value) for name, value in led.items() if "MONITOR" not in name
    )
    assert led["GOOGLE_MONITORING_CUSTOM_ENDPOINT"] == f"{session.base_url}/"


def test_the_server_s_own_file_says_the_same(session: Session, cloud: LocalCloud) -> None:
    """Two witnesses for the shape of every endpoint."""
    theirs = {k: v for k, v in cloud.variables.items() if k.endswith("_CUSTOM_ENDPOINT")}

    ours = session.terraform_environment(environ={})

    assert theirs.items() <= ours.items()


def test_an_init_may_reach_a_registry(session: Session) -> None:
    """Through the caller's own proxies; the state is on this machine and needs none."""
    found = session.terraform_environment(for_init=True, environ=PROXIES)

    assert PROXIES.items() <= found.items()
    assert found["GOOGLE_STORAGE_CUSTOM_ENDPOINT"] == f"{session.base_url}/storage/v1/"


def test_on_google_the_caller_s_own_credentials_go_along(tmp_path: Path) -> None:
    """Those that `ops` itself signs in with; the project pays for the calls."""
    key = {"GOOGLE_APPLICATION_CREDENTIALS": "/key.json"}
    session = google_session(tmp_path)

    found = session.terraform_environment(environ={**STRAY, **KEPT, **PROXIES, **key})

    paying = {"USER_PROJECT_OVERRIDE": "true", "GOOGLE_BILLING_PROJECT": "my-project"}
    assert found == {**KEPT, **ALWAYS, **PROXIES, **key, **paying}


def test_on_google_gcloud_s_own_folder_is_followed(tmp_path: Path) -> None:
    """Terraform looks for a sign-in under HOME alone."""
    signed_in = tmp_path / "application_default_credentials.json"
    environ = {"CLOUDSDK_CONFIG": str(tmp_path)}
    session = google_session(tmp_path)

    before = session.terraform_environment(environ=environ)
    signed_in.write_text("{}")
    after = session.terraform_environment(environ=environ)

    assert "GOOGLE_APPLICATION_CREDENTIALS" not in before
    assert after["GOOGLE_APPLICATION_CREDENTIALS"] == str(signed_in)


def test_on_google_terraform_acts_as_the_account_by_itself(tmp_path: Path) -> None:
    """Its own impersonation refreshes its tokens, however long an apply takes."""
    session = google_session(tmp_path, OPS_IMPERSONATE=EMAIL)

    found = session.terraform_environment(environ={})

    assert found["GOOGLE_IMPERSONATE_SERVICE_ACCOUNT"] == EMAIL


def test_a_user_s_patience_with_a_registry_wins(session: Session) -> None:
    """Who waits longer on purpose waits longer."""
    found = session.terraform_environment(environ={"TF_REGISTRY_CLIENT_TIMEOUT": "60"})

    assert found["TF_REGISTRY_CLIENT_TIMEOUT"] == "60"
