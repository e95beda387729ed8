"""Terraform and Google's provider for it: whether `ops bootstrap` can run, without running it.

Where a provider is looked for, and in what form it lies there:
developer.hashicorp.com/terraform/cli/config/config-file, read 2026-11-21.
"""

from __future__ import annotations

import json
import platform
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from fnmatch import fnmatch
from pathlib import Path
from urllib.parse import urlsplit

from ops.cloud.session import CAPABILITIES
from ops.workflows import provider_registry, records
from ops.workflows.doctor_check import Case, Check, Level

Version = tuple[int, ...]

# What infra/versions.tf asks for; a test holds them equal.
OLDEST_TERRAFORM: Version = (1, 9)
OLDEST_PROVIDER: Version = (7, 26)
TOO_NEW_PROVIDER: Version = (9,)
PROVIDER = "hashicorp/google"
ADDRESS = f"registry.terraform.io/{PROVIDER}"
VERSION_SECONDS = 5.0
NUMBERS = re.compile(r"[0-9]+(?:\.[0-9]+)+")
ARCHITECTURES = {"x86_64": "amd64", "aarch64": "arm64"}
MIRROR = "terraform -chdir=infra providers mirror FOLDER, where there is a network"
INSTALL = "Install Terraform (developer.hashicorp.com/terraform/install), then: make bootstrap"


@dataclass(frozen=True)
class Installation:
    """Where `terraform init` looks: folders with what they are, then addresses that it asks."""

    folders: tuple[tuple[str, Path], ...]
    addresses: tuple[str, ...]


def terraform(case: Case) -> Check:
    """The version of the Terraform on the PATH."""
    program = shutil.which("terraform", path=case.environ.get("PATH"))
    if program is None:
        return _lacking(case, "Terraform", "not found on the PATH", INSTALL)
    version = _version(program, case.environ)
    said = ".".join(map(str, version)) or "does not say its version"
    if version >= OLDEST_TERRAFORM:
        return Check("Terraform", Level.OK, said)
    least = ".".join(map(str, OLDEST_TERRAFORM))
    return _lacking(case, "Terraform", f"{said}; {least} or newer is needed", INSTALL)


def provider(case: Case) -> Check:
    """Where Terraform would have Google's provider from; nothing is downloaded."""
    places = installation(case.environ)
    taken = case.settings.state_dir / case.settings.stack / "terraform/.terraform/providers"
    for what, folder in (("taken before", taken), *places.folders):
        fitting = [one for one in versions(folder) if _fits(one)]
        if fitting:
            found = f"{PROVIDER} {'.'.join(map(str, max(fitting)))}, {what} ({folder})"
            return Check("Provider", Level.OK, found)
    if places.addresses:
        return _downloaded(case, places.addresses)
    looked = ", ".join(str(folder) for _, folder in places.folders) or "no folder"
    found = f"no {PROVIDER} for {system()} in {looked}, and Terraform may not download it"
    return _lacking(case, "Provider", found, MIRROR)


def _downloaded(case: Case, addresses: tuple[str, ...]) -> Check:
    """Whether there is somewhere to download from; that it has the provider shows at bootstrap."""
    found = f"{PROVIDER} is not on this machine"
    answers = next((one for one in addresses if provider_registry.answers(one, case.environ)), "")
    if answers:
        host = urlsplit(answers).netloc
        return Check("Provider", Level.OK, f"{found}; {host} answers, where bootstrap looks for it")
    hosts = ", ".join(urlsplit(one).netloc for one in addresses)
    seconds = f"{provider_registry.LOOK_SECONDS:g} s"
    silent = f"{found}, and {hosts} gave no answer within {seconds}: bootstrap may not get it"
    return Check("Provider", Level.WARNING, silent, MIRROR)


def versions(folder: Path) -> Iterator[Version]:
    """The versions of the provider for this machine in a mirror or cache, packed or unpacked."""
    for home in folder.glob(f"*/{PROVIDER}"):
        for path in (*home.glob(f"*/{system()}"), *home.glob(f"*_{system()}.zip")):
            numbers = NUMBERS.search(path.name if path.suffix == ".zip" else path.parent.name)
            if numbers:
                yield tuple(map(int, numbers[0].split(".")))


def system() -> str:
    """This machine as Terraform names it: `linux_amd64`."""
    machine = platform.machine().lower()
    return f"{sys.platform}_{ARCHITECTURES.get(machine, machine)}"


def installation(environ: Mapping[str, str]) -> Installation:
    """What Terraform's own configuration says of where providers come from."""
    home = Path(environ.get("HOME") or Path.home())
    file = Path(environ.get("TF_CLI_CONFIG_FILE") or home / ".terraformrc")
    text = _without_comments(file.read_text(encoding="utf-8")) if file.is_file() else ""
    block = _block(text, "provider_installation")
    cache = environ.get("TF_PLUGIN_CACHE_DIR") or _value(text, "plugin_cache_dir")
    cached = (("from the plug-in cache", _path(cache, environ)),) if cache else ()
    if block is None:
        return Installation((*_implied(home, environ), *cached), (provider_registry.REGISTRY,))
    mirrors = re.findall(r"filesystem_mirror\s*\{([^}]*)\}", block)
    folders = tuple(
        ("from a mirror", _path(_value(one, "path"), environ)) for one in mirrors if _includes(one)
    )
    others = re.findall(r"(direct|network_mirror)\s*\{([^}]*)\}", block)
    return Installation(
        (*folders, *cached),
        tuple(
            provider_registry.in_mirror(_value(one, "url"), ADDRESS)
            if kind == "network_mirror"
            else provider_registry.REGISTRY
            for kind, one in others
            if _includes(one)
        ),
    )


def _lacking(case: Case, name: str, found: str, fix: str) -> Check:
    """A failure; a warning where the target can do without, or the stack is there already."""
    if CAPABILITIES[case.settings.target].prepares_project:
        return Check(name, Level.WARNING, f"{found}; ops prepares the project without it", fix)
    if records.found(case.settings) is not None:
        return Check(name, Level.WARNING, f"{found}; only bootstrap and teardown need it", fix)
    return Check(name, Level.FAILURE, found, fix)


def _version(program: str, environ: Mapping[str, str]) -> Version:
    try:
        done = subprocess.run(
            [program, "version", "-json"],
            env={**environ, "CHECKPOINT_DISABLE": "1"},
            capture_output=True,
            check=False,
            timeout=VERSION_SECONDS,
        )
        said = NUMBERS.match(json.loads(done.stdout)["terraform_version"])
    except (OSError, subprocess.TimeoutExpired, ValueError, KeyError, TypeError):
        return ()
    return tuple(map(int, said[0].split("."))) if said else ()


def _fits(version: Version) -> bool:
    return OLDEST_PROVIDER <= version < TOO_NEW_PROVIDER


def _implied(home: Path, environ: Mapping[str, str]) -> Iterator[tuple[str, Path]]:
    """The folders that are mirrors without being named."""
    data = environ.get("XDG_DATA_DIRS") or "/usr/local/share:/usr/share"
    own = environ.get("XDG_DATA_HOME") or str(home / ".local/share")
    yield "from a mirror", home / ".terraform.d/plugins"
    for folder in (own, *data.split(":")):
        yield "from a mirror", Path(folder) / "terraform/plugins"


def _includes(method: str) -> bool:
    """Whether an installation method's include and exclude let the provider through."""
    included, excluded = _list(method, "include"), _list(method, "exclude")
    return (not included or _matches(included)) and not _matches(excluded)


def _matches(patterns: list[str]) -> bool:
    return any(fnmatch(ADDRESS, one) or fnmatch(PROVIDER, one) for one in patterns)


def _list(text: str, key: str) -> list[str]:
    found = re.search(rf"\b{key}\s*=\s*\[([^\]]*)\]", text)
    return re.findall(r'"([^"]*)"', found[1]) if found else []


def _value(text: str, key: str) -> str:
    found = re.search(rf'\b{key}\s*=\s*"([^"]*)"', text)
    return found[1] if found else ""


def _path(text: str, environ: Mapping[str, str]) -> Path:
    """A path in which Terraform puts variables in."""
    named = re.sub(r"\$\{?(\w+)\}?", lambda found: environ.get(found[1], ""), text)
    return Path(named)


def _block(text: str, name: str) -> str | None:
    """What stands between the braces of the block, inner braces included."""
    found = re.search(rf"\b{name}\s*\{{", text)
    if found is None:
        return None
    depth = 1
    for place in range(found.end(), len(text)):
        depth += {"{": 1, "}": -1}.get(text[place], 0)
        if not depth:
            return text[found.end() : place]
    return text[found.end() :]


def _without_comments(text: str) -> str:
    return re.sub(r"(?m)^\s*(?:#|//).*$", "", text)
