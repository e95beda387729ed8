"""Settings, read once: flag, then OPS_* variable, then ops.toml, then default."""

from __future__ import annotations

import getpass
import re
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path
from typing import Any

from ops import infra_options, names
from ops.errors import Code, OpsError

CONFIG_FILE = "ops.toml"
TARGET = "OPS_TARGET"
PROJECT = "OPS_PROJECT"
STACK = "OPS_STACK"
REGION = "OPS_REGION"
BUCKET = "OPS_BUCKET"
OWNER = "OPS_OWNER"
EMULATOR_DATA = "OPS_EMULATOR_DATA"
EMULATOR_PORT = "OPS_EMULATOR_PORT"
STATE_DIR = "OPS_STATE_DIR"
TRAINER_IMAGE = "OPS_TRAINER_IMAGE"
IMPERSONATE = "OPS_IMPERSONATE"

KEYS: dict[str, str] = {
    "target": TARGET,
    "project": PROJECT,
    "stack": STACK,
    "region": REGION,
    "bucket": BUCKET,
    "owner": OWNER,
    "emulator_data": EMULATOR_DATA,
    "emulator_port": EMULATOR_PORT,
    "state_dir": STATE_DIR,
    "trainer_image": TRAINER_IMAGE,
    "impersonate": IMPERSONATE,
}

# The options of the table [infra].
INFRA_KEYS = tuple(infra_options.OPTIONS)

LOCAL_PROJECT = "local-project"
DEFAULT_REGION = "us-central1"
DEFAULT_STACK = "default"

# Google's form of a project id:
# cloud.google.com/resource-manager/docs/creating-managing-projects
PROJECT_SHAPE = re.compile(r"[a-z][a-z0-9-]{4,28}[a-z0-9]")
# A stack is part of bucket names and label values.
STACK_SHAPE = re.compile(r"[a-z][a-z0-9-]{0,29}")
# docs.cloud.google.com/iam/docs/service-account-types: a user's own, and the default ones.
ACCOUNT_SHAPE = re.compile(r"[a-z0-9][a-z0-9.-]*@[a-z0-9.-]+\.gserviceaccount\.com")


class Target(StrEnum):
    """Where the commands act."""

    LOCAL = "local"
    GCP = "gcp"


@dataclass(frozen=True)
class Settings:
    """Every setting of one call of `ops`, and in `sources` where each was set.

    `trainer_image` is empty where it was not set: `image` is then the project's own. `impersonate`
    is the address of the service account that the commands act as; empty: as whoever calls.
    `infra` is what Terraform is given beside the rest, a value a variable of infra/.
    """

    target: Target
    project: str
    stack: str
    region: str
    bucket: str
    owner: str
    emulator_data: Path
    emulator_port: int
    state_dir: Path
    trainer_image: str
    impersonate: str = ""
    infra: Mapping[str, Any] = field(default_factory=dict)
    sources: Mapping[str, str] = field(default_factory=dict)

    def labels(self, **more: str) -> dict[str, str]:
        """The labels of every resource of this stack, and `more` (run="…" becomes ops-run)."""
        return names.resource_labels(stack=self.stack, owner=self.owner, **more)

    @property
    def image(self) -> str:
        """The container image that trains and serves custom models."""
        from importlib.metadata import version

        own = names.trainer_image(self.project, self.region, version("ops"))
        return self.trainer_image or own


def read(flags: Mapping[str, str | None], environ: Mapping[str, str], folder: Path) -> Settings:
    """Settings for one call; `folder` is where ops.toml is looked for. SETTINGS when one is bad."""
    path = folder / CONFIG_FILE
    config = _config_file(path)
    values, sources = _layers(flags, environ, config)
    target = _target(values.get("target"), sources)
    project = _project(values.get("project"), target, sources)
    stack = _shaped("stack", values.get("stack", DEFAULT_STACK), STACK_SHAPE, sources)
    bucket = values.get("bucket") or names.bucket_name(project, stack)
    return Settings(
        target=target,
        project=project,
        stack=stack,
        region=values.get("region", DEFAULT_REGION),
        bucket=bucket,
        owner=names.label_value(values.get("owner") or _user()),
        emulator_data=Path(values.get("emulator_data") or _data_folder()).expanduser().absolute(),
        emulator_port=_port(values.get("emulator_port", "0"), sources),
        state_dir=Path(values.get("state_dir", ".ops")).expanduser(),
        trainer_image=values.get("trainer_image", ""),
        impersonate=_account(values.get("impersonate", ""), sources),
        infra=infra_options.check(str(path), config.get(infra_options.TABLE, {})),
        sources={key: sources.get(key, "default") for key in KEYS},
    )


def _layers(
    flags: Mapping[str, str | None], environ: Mapping[str, str], config: Mapping[str, Any]
) -> tuple[dict[str, str], dict[str, str]]:
    values: dict[str, str] = {}
    sources: dict[str, str] = {}
    for key, variable in KEYS.items():
        if flags.get(key):
            values[key], sources[key] = str(flags[key]), "--" + key.replace("_", "-")
        elif environ.get(variable):
            values[key], sources[key] = environ[variable], variable
        elif key in config:
            values[key], sources[key] = str(config[key]), CONFIG_FILE
    return values, sources


def _config_file(path: Path) -> dict[str, Any]:
    if not path.is_file():
        return {}
    try:
        config = tomllib.loads(path.read_text(encoding="utf-8"))
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise OpsError(
            Code.SETTINGS, f"{path} is not TOML: {error}.", "Correct it, or move it away."
        ) from error
    unknown = sorted(set(config) - set(KEYS) - {infra_options.TABLE})
    if unknown:
        raise OpsError(
            Code.SETTINGS,
            f"{path} has settings that are not known: {', '.join(unknown)}.",
            f"Known settings: {', '.join(KEYS)}, and the table [{infra_options.TABLE}].",
        )
    return config


def _target(value: str | None, sources: Mapping[str, str]) -> Target:
    try:
        return Target(value or Target.LOCAL)
    except ValueError:
        raise OpsError(
            Code.SETTINGS,
            f"The target is {value!r} (from {sources['target']}); it can be local or gcp.",
            "Type --target local or --target gcp.",
        ) from None


def _project(value: str | None, target: Target, sources: Mapping[str, str]) -> str:
    if value is None and target is Target.LOCAL:
        return LOCAL_PROJECT
    if value is None:
        raise OpsError(
            Code.SETTINGS,
            "The target is gcp and no project is set.",
            f"Type --project YOUR-PROJECT-ID, or set {PROJECT}.",
        )
    return _shaped("project", value, PROJECT_SHAPE, sources)


def _shaped(key: str, value: str, shape: re.Pattern[str], sources: Mapping[str, str]) -> str:
    if shape.fullmatch(value):
        return value
    raise OpsError(
        Code.SETTINGS,
        f"The {key} is {value!r} (from {sources[key]}), which is not a {key}'s form: "
        "lower-case letters, digits and dashes, a letter first.",
        f"Type --{key} with another value.",
    )


def _account(value: str, sources: Mapping[str, str]) -> str:
    if not value or ACCOUNT_SHAPE.fullmatch(value):
        return value
    raise OpsError(
        Code.SETTINGS,
        f"The account to act as is {value!r} (from {sources['impersonate']}), which is not the "
        "address of a service account.",
        f"Set {IMPERSONATE}=STACK-runner@PROJECT.iam.gserviceaccount.com",
    )


def _port(value: str, sources: Mapping[str, str]) -> int:
    if value.isdecimal() and int(value) <= 65535:
        return int(value)
    raise OpsError(
        Code.SETTINGS,
        f"The emulator's port is {value!r} (from {sources['emulator_port']}); "
        "it is a number from 0 (any free port) to 65535.",
        f"Set {EMULATOR_PORT}=0.",
    )


def _user() -> str:
    try:
        return getpass.getuser()
    except (OSError, KeyError):
        return "unknown"


def _data_folder() -> str:
    from platformdirs import user_data_dir

    return str(Path(user_data_dir("ops")) / "emulator")
