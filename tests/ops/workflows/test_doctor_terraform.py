"""Terraform and its provider, found without being run more than for a version."""

import re
import socket
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread

import pytest

from ops import settings
from ops.workflows import doctor_terraform, provider_registry
from ops.workflows.doctor_check import Case, Level
from tests.local_cloud import ROOT

ASKED = (ROOT / "infra" / "versions.tf").read_text()


def case(folder: Path, target: str = "gcp", **environ: str) -> Case:
    """A case in a folder where HOME is, and nothing on the PATH but its `bin`."""
    flags = {"target": target, "project": "my-project"}
    found = settings.read(flags, {settings.STATE_DIR: str(folder / ".ops")}, folder)
    variables = {"HOME": str(folder), "PATH": str(folder / "bin"), "XDG_DATA_DIRS": str(folder)}
    # No test asks the registry.
    return Case(found, environ={**variables, "HTTPS_PROXY": "http://127.0.0.1:1", **environ})


def put_terraform(folder: Path, version: str) -> None:
    """A program that says its version as Terraform does."""
    program = folder / "bin" / "terraform"
    program.parent.mkdir()
    program.write_text(f'#!/bin/sh\necho \'{{"terraform_version": "{version}"}}\'\n')
    program.chmod(0o755)


def put_provider(folder: Path, version: str, *, packed: bool = False) -> None:
    """A provider as it lies in a mirror."""
    home = folder / "registry.example.com" / "hashicorp" / "google"
    system = doctor_terraform.system()
    if packed:
        home.mkdir(parents=True)
        (home / f"terraform-provider-google_{version}_{system}.zip").touch()
    else:
        (home / version / system).mkdir(parents=True)


def test_what_is_asked_for_is_what_infra_asks_for() -> None:
    """The three versions here are those of infra/versions.tf."""
    least = re.search(r'required_version = ">= ([0-9.]+)"', ASKED)
    google = re.search(r'version = ">= ([0-9.]+), < ([0-9.]+)"', ASKED)

    assert least is not None and google is not None
    assert least[1] == ".".join(map(str, doctor_terraform.OLDEST_TERRAFORM))
    assert google[1] == ".".join(map(str, doctor_terraform.OLDEST_PROVIDER))
    assert google[2] == ".".join(map(str, doctor_terraform.TOO_NEW_PROVIDER))


@pytest.mark.parametrize(
    ("version", "target", "level"),
    [
        ("1.11.4", "gcp", Level.OK),
        ("1.8.5", "gcp", Level.FAILURE),
        ("1.8.5", "local", Level.WARNING),
        ("what", "gcp", Level.FAILURE),
        (None, "gcp", Level.FAILURE),
        (None, "local", Level.WARNING),
    ],
)
def test_a_terraform_that_is_old_or_missing(
    tmp_path: Path, version: str | None, target: str, level: Level
) -> None:
    """A failure on Google with what to install; a local cloud is prepared without it."""
    if version is not None:
        put_terraform(tmp_path, version)

    check = doctor_terraform.terraform(case(tmp_path, target))

    assert check.level is level
    assert ("make bootstrap" in check.fix) is (level is not Level.OK)
    assert version is None or version == "what" or version in check.found


def test_a_provider_that_is_nowhere_where_the_registry_does_not_answer(tmp_path: Path) -> None:
    """Whether it can be had is asked, and not promised; what helps is named."""
    check = doctor_terraform.provider(case(tmp_path))

    assert check.level is Level.WARNING
    assert "registry.terraform.io gave no answer within 2 s" in check.found
    assert check.fix == doctor_terraform.MIRROR


@pytest.mark.parametrize(
    ("name", "level"), [("hashicorp/google", Level.OK), ("hashicorp/aws", Level.WARNING)]
)
def test_a_provider_that_is_nowhere_where_a_mirror_answers(
    tmp_path: Path, name: str, level: Level
) -> None:
    """A mirror that is a server is asked whether it has this one."""
    index = tmp_path / "www" / "registry.terraform.io" / name / "index.json"
    index.parent.mkdir(parents=True)
    index.write_text('{"versions": {"7.45.0": {}}}')
    rc = tmp_path / "terraform.rc"
    serve = partial(SimpleHTTPRequestHandler, directory=str(tmp_path / "www"))
    with ThreadingHTTPServer(("127.0.0.1", 0), serve) as server:
        Thread(target=server.serve_forever, daemon=True).start()
        url = f"http://127.0.0.1:{server.server_port}/"
        rc.write_text(
            f'provider_installation {{\n  network_mirror {{\n    url = "{url}"\n  }}\n}}\n'
        )

        check = doctor_terraform.provider(case(tmp_path, TF_CLI_CONFIG_FILE=str(rc)))
        server.shutdown()

    assert check.level is level
    assert f"127.0.0.1:{server.server_port}" in check.found


def test_a_look_at_a_registry_ends_in_time() -> None:
    """A server that takes the call and says nothing is given up."""
    with socket.create_server(("127.0.0.1", 0)) as silent:
        address = f"http://127.0.0.1:{silent.getsockname()[1]}/"

        assert not provider_registry.answers(address, {}, seconds=0.2)


@pytest.mark.parametrize("packed", [True, False])
def test_a_provider_in_a_mirror_that_terraform_always_looks_into(
    tmp_path: Path, packed: bool
) -> None:
    """The newest that fits is named, packed or not."""
    put_provider(tmp_path / ".terraform.d" / "plugins", "7.45.0", packed=packed)

    check = doctor_terraform.provider(case(tmp_path))

    assert check.found.startswith("hashicorp/google 7.45.0, from a mirror (")


def test_a_provider_in_the_cache_or_taken_before(tmp_path: Path) -> None:
    """The cache of the environment; what an earlier bootstrap has taken is looked at first."""
    put_provider(tmp_path / "cache", "8.1.0")
    in_cache = doctor_terraform.provider(
        case(tmp_path, TF_PLUGIN_CACHE_DIR=str(tmp_path / "cache"))
    )
    put_provider(tmp_path / ".ops/default/terraform/.terraform/providers", "7.30.1")
    taken = doctor_terraform.provider(case(tmp_path))

    assert in_cache.found.startswith("hashicorp/google 8.1.0, from the plug-in cache (")
    assert taken.found.startswith("hashicorp/google 7.30.1, taken before (")


@pytest.mark.parametrize(
    ("version", "rest", "level"),
    [
        ("7.45.0", "", Level.OK),
        ("7.25.9", "", Level.FAILURE),
        ("9.0.0", "", Level.FAILURE),
        ("7.25.9", "direct {}", Level.WARNING),
        ("7.25.9", 'direct { exclude = ["registry.terraform.io/hashicorp/*"] }', Level.FAILURE),
    ],
)
def test_a_mirror_in_terraforms_own_configuration(
    tmp_path: Path, version: str, rest: str, level: Level
) -> None:
    """Only what fits counts; without it a download must be allowed."""
    put_provider(tmp_path / "mirror", version)
    rc = tmp_path / "terraform.rc"
    rc.write_text(
        '# plugin_cache_dir = "/nowhere"\nprovider_installation {\n  filesystem_mirror {\n'
        f'    path = "$HOME/mirror"\n  }}\n  {rest}\n}}\n'
    )

    check = doctor_terraform.provider(case(tmp_path, TF_CLI_CONFIG_FILE=str(rc)))

    assert check.level is level, check.found
    assert ("providers mirror" in check.fix) is (level is not Level.OK)
