"""The rules that keep a user of Google Cloud from harm, each by the real commands."""

import json
import os
import re
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.journey.google_journey import PROJECT, GoogleUser, google_user
from tests.local_cloud import clean_environment
from tests.ops.conftest import OPS, Ran

RECORD = Path(".ops") / "default.json"


@pytest.fixture(scope="module")
def user(tmp_path_factory: pytest.TempPathFactory) -> Iterator[GoogleUser]:
    """A user whose stack is prepared, and whom the server knows."""
    with google_user(tmp_path_factory.mktemp("google"), "--require-auth") as found:
        found.prepare()
        yield found


def asked_at_a_terminal(user: GoogleUser, answer: str, *words: str) -> tuple[int, str]:
    """The exit code and what was shown, of a command at a terminal whose user types `answer`."""
    master, slave = os.openpty()
    process = subprocess.Popen(
        [str(OPS), *words, "--target", "gcp", "--project", PROJECT],
        cwd=user.home,
        env=user.environment(words[0]),
        stdin=slave,
        stdout=subprocess.PIPE,
        stderr=slave,
    )
    os.close(slave)
    shown = ""
    while not shown.rstrip().endswith(":"):
        shown += os.read(master, 1000).decode()
    os.write(master, answer.encode() + b"\n")
    process.communicate(timeout=60)
    os.close(master)
    return process.returncode, shown


def error(ran: Ran) -> dict[str, str]:
    """The error of a command with --json."""
    return dict(json.loads(ran.out)["error"])


def test_the_first_line_says_where_and_by_what(user: GoogleUser) -> None:
    """Target, project and stack, each with the flag or variable that set it."""
    ran = user.run("status", "--stack", "other")

    first = f"target gcp (--target), project {PROJECT} (--project), stack other (--stack)"
    assert ran.err.splitlines()[0] == first


def test_a_stack_that_is_seen_is_on_record(user: GoogleUser) -> None:
    """After any command on Google, `.ops/<stack>.json` says where the stack lives."""
    user.result("status")

    (stack,) = json.loads((user.home / RECORD).read_text())["stacks"]
    since = stack.pop("since")
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\+00:00", since)
    assert stack == {
        "stack": "default",
        "target": "gcp",
        "project": PROJECT,
        "bucket": f"{PROJECT}-ops-default",
        "region": "us-central1",
        "prepared_by": "",
        "outputs": {},
    }


def test_a_local_teardown_warns_of_a_stack_on_google(user: GoogleUser) -> None:
    """The stack on Google is named with the command that ends it, and is not touched."""
    user.result("status")
    environ = clean_environment(OPS_EMULATOR_DATA=str(user.home / "local"), HOME=str(user.home))

    def local(*words: str) -> str:
        done = subprocess.run([OPS, *words], cwd=user.home, env=environ, capture_output=True)
        assert done.returncode == 0, done.stderr
        return done.stderr.decode()

    said = local("teardown", "--yes")
    local("emulator", "stop")

    assert f"Warning: stack default also lives on gcp, in project {PROJECT}" in said
    assert f"Type: ops teardown --target gcp --project {PROJECT}" in said
    assert (user.home / RECORD).exists()


@pytest.mark.parametrize(
    "name",
    [
        "STORAGE_EMULATOR_HOST",
        "API_ENDPOINT_OVERRIDE",
        "GOOGLE_STORAGE_CUSTOM_ENDPOINT",
        "GOOGLE_VERTEX_AI_CUSTOM_ENDPOINT",
        "CLOUDSDK_API_ENDPOINT_OVERRIDES_AIPLATFORM",
    ],
)
def test_a_variable_that_leads_elsewhere_is_refused(user: GoogleUser, name: str) -> None:
    """Before any call; the hint is the command that removes it."""
    before = len(user.proxy.exchanges)

    ran = user.run("status", "--json", **{name: "http://127.0.0.1:1"})

    assert ran.code == 2
    assert error(ran)["code"] == "emulator-variable"
    assert error(ran)["hint"] == f"Type: unset {name}"
    assert len(user.proxy.exchanges) == before


def test_the_key_of_a_local_cloud_is_refused(user: GoogleUser) -> None:
    """Its token endpoint is this machine: nothing that it signs is worth anything on Google."""
    key = str(user.cloud.data / "service-account.json")

    ran = user.run("status", "--json", GOOGLE_APPLICATION_CREDENTIALS=key)

    assert (error(ran)["code"], error(ran)["hint"]) == (
        "emulator-variable",
        "Type: unset GOOGLE_APPLICATION_CREDENTIALS",
    )


def test_nobody_s_project_is_deleted_by_yes_alone(user: GoogleUser) -> None:
    """Without a terminal it takes --yes and --project together; nothing is deleted before."""
    before = len(user.proxy.exchanges)

    for ran in (user.run("teardown", "--json"), by_variable(user, "teardown", "--json", "--yes")):
        assert (ran.code, error(ran)["code"]) == (5, "needs-yes")
        assert error(ran)["hint"] == f"Add --yes --project {PROJECT} to agree."

    assert deleted(user, before) == []


def deleted(user: GoogleUser, since: int) -> list[str]:
    """What was deleted since then."""
    return [one.target for one in user.proxy.exchanges[since:] if one.method == "DELETE"]


def by_variable(user: GoogleUser, *words: str) -> Ran:
    """How a command ended whose project is set by OPS_PROJECT."""
    done = subprocess.run(
        [OPS, *words, "--target", "gcp"],
        cwd=user.home,
        env=user.environment(words[0]) | {"OPS_PROJECT": PROJECT},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
    )
    return Ran(done.returncode, done.stdout, done.stderr)


def test_no_credentials_at_all(user: GoogleUser) -> None:
    """The command that signs in is named."""
    ran = user.run("status", "--json", GOOGLE_APPLICATION_CREDENTIALS="-")

    assert ran.code == 7
    assert error(ran) == {
        "code": "unauthenticated",
        "message": "No credentials for Google were found.",
        "hint": "Type: gcloud auth application-default login",
    }


def test_a_key_that_was_revoked(user: GoogleUser) -> None:
    """Google does not know the signature; the account and how to make another key are named."""
    body = json.loads(user.key.read_text())
    other = user.home / "revoked.json"
    other.write_text(json.dumps(body | {"private_key": another_private_key()}))

    ran = user.run("status", "--json", GOOGLE_APPLICATION_CREDENTIALS=str(other))

    assert (ran.code, error(ran)["code"]) == (7, "unauthenticated")
    assert "Invalid JWT Signature" in error(ran)["message"]
    account = f"--iam-account {body['client_email']}"
    assert error(ran)["hint"].startswith("Type: gcloud iam service-accounts keys create")
    assert error(ran)["hint"].endswith(account)


def another_private_key() -> str:
    """A key that no account has."""
    from cryptography.hazmat.primitives import serialization
    from cryptography.hazmat.primitives.asymmetric import rsa

    key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    kind = serialization.PrivateFormat.PKCS8
    pem = key.private_bytes(serialization.Encoding.PEM, kind, serialization.NoEncryption())
    return pem.decode()


def test_a_sign_in_that_ran_out(user: GoogleUser) -> None:
    """A person's credentials that Google refreshes no more: the command that signs in anew."""
    person = user.home / "person.json"
    body = {"type": "authorized_user", "client_id": "1", "client_secret": "s", "refresh_token": "r"}
    person.write_text(json.dumps(body))

    ran = user.run("status", "--json", GOOGLE_APPLICATION_CREDENTIALS=str(person))

    assert (ran.code, error(ran)["code"]) == (7, "unauthenticated")
    assert "Token has been expired or revoked" in error(ran)["message"]
    assert error(ran)["hint"] == "Type: gcloud auth application-default login"


def test_acting_as_an_account_takes_a_role_on_it(user: GoogleUser) -> None:
    """Owning the project is not enough; with the role the commands have the account's rights."""
    accounts = f"/v1/projects/{PROJECT}/serviceAccounts"
    email = user.posted(accounts, {"accountId": "default-runner"})["email"]
    before = len(user.proxy.exchanges)
    refused = user.run("status", "--json", OPS_IMPERSONATE=email)
    member = f"serviceAccount:{json.loads(user.key.read_text())['client_email']}"
    role = "roles/iam.serviceAccountTokenCreator"
    policy = {"bindings": [{"role": role, "members": [member]}]}
    user.posted(f"{accounts}/{email}:setIamPolicy", {"policy": policy})

    acting = user.run("status", "--json", OPS_IMPERSONATE=email)

    assert (refused.code, error(refused)["code"]) == (7, "denied")
    grant = f"gcloud iam service-accounts add-iam-policy-binding {email}"
    assert error(refused)["hint"] == f"Type: {grant} --member={member} --role={role}"
    assert (acting.code, error(acting)["code"]) == (7, "denied")
    assert f"{email} does not have storage.buckets.get access" in error(acting)["message"]
    asked = [one for one in user.proxy.exchanges[before:] if "generateAccessToken" in one.target]
    assert {one.host for one in asked} == {"iamcredentials.googleapis.com"}
    assert user.outside() == set()


def test_a_proxy_whose_certificate_is_not_trusted(user: GoogleUser) -> None:
    """It says so at once, and names the variable that a company's certificate goes into."""
    ran = user.run("status", "--json", REQUESTS_CA_BUNDLE="-", CURL_CA_BUNDLE="-")

    assert (ran.code, error(ran)["code"]) == (6, "unreachable")
    assert "is not trusted here" in error(ran)["message"]
    assert "export REQUESTS_CA_BUNDLE=FILE" in error(ran)["hint"]


def test_a_project_id_with_a_typo(user: GoogleUser) -> None:
    """It says that there is no such project for us, and how to see those that there are."""
    ran = user.run("status", "--json", "--project", "photos-of-a-companny")

    assert (ran.code, error(ran)["code"]) == (7, "denied")
    said = "There is no project photos-of-a-companny, or you have no right to use it."
    assert error(ran)["message"] == said
    assert error(ran)["hint"].startswith("Type: gcloud projects list")


def test_the_project_s_id_typed_at_the_terminal_is_asked_for(user: GoogleUser) -> None:
    """Another id deletes nothing; the right one deletes the stack, which is on record no more."""
    user.result("status")
    before = len(user.proxy.exchanges)

    code, shown = asked_at_a_terminal(user, "another-project", "teardown")
    untouched = deleted(user, before)
    agreed, _ = asked_at_a_terminal(user, PROJECT, "teardown")

    assert (code, untouched, agreed) == (5, [], 0)
    assert "Type the project id to delete all of stack default" in shown
    assert deleted(user, before)[-1].startswith(f"/storage/v1/b/{PROJECT}-ops-default")
    assert not (user.home / RECORD).exists()
