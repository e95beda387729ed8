"""What every module of `infra/` keeps to, looked at without Terraform's provider."""

from __future__ import annotations

import re
import shutil
import subprocess
import tomllib
from pathlib import Path

import pytest

from ops.pricing import gpus
from tests.infra import hcl_files
from tests.infra.hcl_files import FOLDERS, INFRA, MODULES, Declared
from tests.local_cloud import ROOT

EACH = pytest.mark.parametrize("folder", FOLDERS, ids=hcl_files.name_of)
EVERYWHERE = ("main.tf", "outputs.tf", "README.md", "variables.tf", "versions.tf")
# What would lead the provider elsewhere, or say who asks: both come from the environment.
ELSEWHERE = re.compile(
    r"custom_endpoint|universe_domain|user_project_override|billing_project\b|access_token|"
    r"credentials *=|impersonate_service_account *="
)
LITERAL_PROJECT = re.compile(r'project(_id)? *= *"[^$"]|"projects/[a-z]')
# Who else has rights there would lose them, or a secret would lie in the state.
UNWANTED_TYPES = re.compile(
    r"google_(project|service_account)_iam_(policy|binding)$|_iam_policy$|google_service_account_key"
)
MAX_LINE = 79
MAY_BE_LONG = re.compile(r" *(description|error_message|#|condition) ")


def lines() -> list[tuple[str, str]]:
    """Every line of every file of Terraform's, with where it is."""
    return [
        (f"{path.relative_to(ROOT)}:{number}", line)
        for folder in FOLDERS
        for path in hcl_files.files(folder)
        for number, line in enumerate(path.read_text().splitlines(), 1)
    ]


def declared(folder: Path) -> list[Declared]:
    """Variables and outputs."""
    return [*hcl_files.variables(folder), *hcl_files.outputs(folder)]


def test_the_tree_is_that_of_the_decision() -> None:
    """There is a module for each part of a stack, and each has its five files and its tests."""
    assert [path.name for path in MODULES] == [
        "automl",
        "bucket",
        "budget",
        "github",
        "gpu-quota",
        "identities",
        "registry",
        "services",
    ]

    missing = [
        hcl_files.name_of(folder / name)
        for folder in FOLDERS
        for name in EVERYWHERE
        if not (folder / name).is_file()
    ]
    tests = [f / "tests" / f"{f.name}.tftest.hcl" for f in MODULES]
    tests.append(INFRA / "tests" / "stack.tftest.hcl")

    assert missing == []
    assert [hcl_files.name_of(path) for path in tests if not path.is_file()] == []


@EACH
def test_everything_is_described_and_typed(folder: Path) -> None:
    """Each variable has a type and a sentence about it, each output a sentence."""
    untyped = [one.name for one in hcl_files.variables(folder) if not one.type]
    loose = [one.name for one in hcl_files.variables(folder) if re.search(r"\bany\b", one.type)]
    short = [
        one.name
        for one in declared(folder)
        if len(one.description) < 15 or not one.description.endswith((".", ")."))
    ]

    assert (untyped, loose, short) == ([], [], [])


@EACH
def test_variables_and_outputs_are_sorted(folder: Path) -> None:
    """A name is found where the alphabet has it, in the file that is named so."""
    for kind, found in (
        ("variable", hcl_files.variables(folder)),
        ("output", hcl_files.outputs(folder)),
    ):
        names = [one.name for one in found]
        places = {path.name for path, _ in hcl_files.blocks(folder, kind)}

        assert names == sorted(names)
        assert places <= {f"{kind}s.tf"}


@EACH
def test_no_variable_is_without_use(folder: Path) -> None:
    """What can be set has an effect."""
    text = "".join(path.read_text() for path in hcl_files.files(folder))
    unused = [
        one.name
        for one in hcl_files.variables(folder)
        if not re.search(rf"\bvar\.{one.name}\b", _without_validations(text))
    ]

    assert unused == []


@EACH
def test_a_refusal_says_what_must_be_true(folder: Path) -> None:
    """A validation's sentence names the value and the rule."""
    text = (folder / "variables.tf").read_text()
    said = re.findall(r'error_message = "(.*)"\n', text)
    count = sum(one.validations for one in hcl_files.variables(folder))

    assert len(said) == count
    assert [one for one in said if " must " not in one or not one.endswith((".", "`."))] == []


@EACH
def test_every_rule_is_broken_in_a_test(folder: Path) -> None:
    """For each rule of a variable there is a run that expects it to refuse."""
    text = "".join(path.read_text() for path in (folder / "tests").glob("*.tftest.hcl"))
    broken = re.findall(r"expect_failures = \[var\.(\w+)\]", text)

    assert [
        one.name for one in hcl_files.variables(folder) if broken.count(one.name) < one.validations
    ] == []


def test_the_root_takes_from_modules_what_they_refuse() -> None:
    """Every module's versions are the root's, so that one provider serves them all."""
    wanted = re.search(r"google = \{.*?\n    \}", (INFRA / "versions.tf").read_text(), re.S)
    assert wanted is not None

    other = [
        hcl_files.name_of(folder)
        for folder in MODULES
        if wanted[0] not in (folder / "versions.tf").read_text()
    ]

    assert other == []


def test_nothing_leads_the_provider_elsewhere() -> None:
    """No endpoint, no credential and no quota project is written down: the files serve both."""
    assert [where for where, line in lines() if ELSEWHERE.search(line)] == []


def test_no_project_is_written_down() -> None:
    """A project comes as a variable, also inside names."""
    found = [where for where, line in lines() if LITERAL_PROJECT.search(line)]

    assert found == []


def test_a_request_is_about_the_quota_that_doctor_looks_at() -> None:
    """The names of quotas are put together from the same parts here and in `ops`."""
    text = (INFRA / "modules" / "gpu-quota" / "main.tf").read_text()
    parts = dict(re.findall(r'^    ([\w-]+) += "(\w+)"$', text, re.M))
    kinds = {"training": (False, False), "spot-training": (False, True), "serving": (True, False)}

    for gpu in tomllib.loads((ROOT / "ops" / "pricing" / "gpus.toml").read_text()):
        for use, (serving, spot) in kinds.items():
            there = gpus.quota(gpu, serving=serving, spot=spot).id

            assert f"{parts[use]}{parts[gpu]}PerProjectPerRegion" == there


def test_nobody_elses_right_is_taken_and_no_key_is_made() -> None:
    """In a project's and an account's policy only members are added; there are no keys."""
    found = [
        f"{hcl_files.name_of(folder)}: {kind}.{name}"
        for folder in FOLDERS
        for kind, name in hcl_files.resources(folder)
        if UNWANTED_TYPES.search(kind)
    ]

    assert found == []


def test_lines_are_short() -> None:
    """Seventy-nine columns, but for sentences and the rules that they are about."""
    long = [
        f"{where} has {len(line)}"
        for where, line in lines()
        if len(line) > MAX_LINE and not MAY_BE_LONG.match(line)
    ]

    assert long == []


def test_no_state_no_lock_file_and_no_variables_are_kept() -> None:
    """What one machine or one stack has is in no repository."""
    command = ["git", "ls-files", "--", "infra"]
    names = subprocess.run(command, cwd=ROOT, check=True, capture_output=True, text=True).stdout
    kept = [
        n for n in names.splitlines() if re.search(r"\.tfstate|\.tfvars|\.lock\.hcl|\.tfplan", n)
    ]

    assert kept == []


def test_the_files_are_as_terraform_fmt_writes_them() -> None:
    """`terraform fmt` would change nothing."""
    if shutil.which("terraform") is None:
        pytest.skip("needs the program terraform (developer.hashicorp.com/terraform/install)")
    command = ["terraform", "fmt", "-check", "-diff", "-recursive"]
    done = subprocess.run(command, cwd=INFRA, capture_output=True, text=True, check=False)

    assert done.returncode == 0, done.stdout + done.stderr


def _without_validations(text: str) -> str:
    """The text without the rules about variables, which name them too."""
    return re.sub(r"\n  validation \{\n.*?\n  \}\n", "\n", text, flags=re.S)
