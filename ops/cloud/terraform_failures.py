"""What Terraform's JSON diagnostics mean, and what mends it: `terraform_failures.toml` as code."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from ops import names
from ops.cloud.terraform_process import ERRORS, LOG, Ended
from ops.errors import Code, OpsError
from ops.settings import Settings

TABLE = Path(__file__).with_suffix(".toml")
MIRROR = (
    "Connect to the network, or name a mirror of providers in TF_CLI_CONFIG_FILE "
    "(developer.hashicorp.com/terraform/cli/config/config-file)."
)
MOST_SAID_CHARACTERS = 600
# How the provider wraps Google's own sentence.
SAID = re.compile(r"googleapi: (?P<said>Error \d+: .+?)(?:,\s*\w+)?$", re.DOTALL | re.MULTILINE)


@dataclass(frozen=True)
class Diagnostic:
    """What Terraform says went wrong; `address` is the resource's, if it is one's."""

    summary: str
    detail: str = ""
    address: str = ""

    @property
    def text(self) -> str:
        """Summary and detail."""
        return f"{self.summary}\n{self.detail}".strip()


def diagnostics(events: Sequence[Mapping[str, Any]]) -> list[Diagnostic]:
    """The errors among the events, in order, each once."""
    found = [
        Diagnostic(
            str(one["diagnostic"].get("summary", "")),
            str(one["diagnostic"].get("detail", "")),
            str(one["diagnostic"].get("address", "")),
        )
        for one in events
        if one.get("type") == "diagnostic" and one["diagnostic"].get("severity") == "error"
    ]
    return list(dict.fromkeys(found))


def explain(done: Ended, command: str, settings: Settings) -> OpsError:
    """The error that a failed command means; of several the one that the table names first."""
    found = diagnostics(done.events)
    if not found:
        return _unsaid(done, command, settings)
    for failure in table():
        for one in found:
            fits = re.search(failure["words"], one.text)
            if fits:
                return _told(failure, one, fits, settings, len(found))
    return OpsError(
        Code.REFUSED,
        f"terraform {command} failed. {_said(found[0])}{_more(len(found), settings)}",
        f"All that it said is in {_folder(settings) / LOG}; then type the same command again.",
    )


@cache
def table() -> list[dict[str, str]]:
    """The failures that are known, those that hide others first."""
    failures: list[dict[str, str]] = tomllib.loads(TABLE.read_text(encoding="utf-8"))["failure"]
    return failures


def first(text: str) -> dict[str, str] | None:
    """The failure that a diagnostic's text means; None when none is known."""
    return next((one for one in table() if re.search(one["words"], text)), None)


def _told(
    failure: Mapping[str, str],
    one: Diagnostic,
    fits: re.Match[str],
    settings: Settings,
    count: int,
) -> OpsError:
    groups = {key: value or "" for key, value in fits.groupdict().items()}
    constraint = groups.get("constraint") or "CONSTRAINT"
    first = _sentence((one.detail or one.summary).strip().partition("\n\n")[0])
    words = {
        "project": settings.project,
        "bucket": settings.bucket,
        "stack": settings.stack,
        "state_bucket": names.state_bucket_name(settings.bucket),
        "said": _said(one),
        "first": first,
        **groups,
        "why": groups.get("why") or first,
        "constraint": constraint.removeprefix("constraints/"),
        "by_constraint": f" ({constraint})" if groups.get("constraint") else "",
    }
    message = failure["message"].format(**words).rstrip(".") + "." + _more(count, settings)
    return OpsError(Code(failure["code"]), message, failure["hint"].format(**words))


def _unsaid(done: Ended, command: str, settings: Settings) -> OpsError:
    """It died without a diagnostic: killed, out of time, or crashed."""
    if done.exit_code is None:
        what = f"terraform {command} was given up: it ran out of time."
    elif done.exit_code < 0:
        what = f"terraform {command} was killed (signal {-done.exit_code})."
    else:
        what = f"terraform {command} ended with {done.exit_code}: {_sentence(done.errors)}"
    return OpsError(
        Code.UNREACHABLE if done.exit_code is None else Code.REFUSED,
        what,
        f"Type the same command again: it takes up what exists. (See {_folder(settings) / ERRORS})",
    )


def _said(one: Diagnostic) -> str:
    """Google's own sentence if there is one, else Terraform's, and of which resource."""
    found = SAID.search(one.text)
    text = found["said"] if found else one.text
    where = f" ({one.address})" if one.address else ""
    return f"{_sentence(text).rstrip('.')}{where}."


def _sentence(text: str) -> str:
    """The text on one line, and no longer than a person reads."""
    line = " ".join(text.split())
    return line if len(line) <= MOST_SAID_CHARACTERS else line[:MOST_SAID_CHARACTERS] + "…"


def _more(count: int, settings: Settings) -> str:
    others = "another message is" if count == 2 else f"{count - 1} other messages are"
    return f" ({others} in {_folder(settings) / LOG}.)" if count > 1 else ""


def _folder(settings: Settings) -> Path:
    return settings.state_dir / settings.stack / "terraform"
