"""Every distinct call that the journey on Google makes, as a page: `docs/google-calls.md`.

Write it anew with `python -m tests.journey.google_calls`.
"""

import tempfile
from collections.abc import Iterable
from pathlib import Path

from tests.google_proxy import HOSTS, Exchange
from tests.journey.documented import Call, judge
from tests.journey.google_journey import PROJECT, google_user, travel
from tests.local_cloud import ROOT

PAGE = ROOT / "docs" / "google-calls.md"
HEAD = """\
# Calls to Google

Every distinct call of the commands on `--target gcp`, from an import to a teardown, by a service
account, through a proxy that lets nothing else out. `tests/journey/test_google.py` holds this page
current (`python -m tests.journey.google_calls` writes it anew), and fails on a host, path,
parameter or field that the document named here does not have.

| document | what it is |
|---|---|
| SDK | the method's HTTP rule in Google's generated client; requests parse strictly as its type |
| discovery | the API's discovery document: its methods, their parameters and fields |
| OAuth | developers.google.com/identity/protocols/oauth2/service-account |
| RFC 9110 | the Date header, by which `ops doctor` sets this machine's clock against Google's |

Every call carries `Authorization: Bearer …`, `x-goog-user-project: PROJECT` and `User-Agent:
ops/VERSION`, but for those to the first two hosts, which Google's authentication library makes, and
for the one for the date.
"""
# Asked by the authentication library in any command, one of them by a thread of its own.
LIBRARY = ("oauth2.googleapis.com", "iamcredentials.googleapis.com")
# What a command asks for only if it is there at the moment: the log of a training being watched.
NOW_AND_THEN = {"logging.entries.list": {"train"}}
ORDER = (
    *LIBRARY,
    "cloudresourcemanager.googleapis.com",
    "serviceusage.googleapis.com",
    "orgpolicy.googleapis.com",
    "cloudbilling.googleapis.com",
    "cloudquotas.googleapis.com",
    "storage.googleapis.com",
    "artifactregistry.googleapis.com",
    "cloudbuild.googleapis.com",
    "REGION-aiplatform.googleapis.com",
    "logging.googleapis.com",
)


def page(exchanges: Iterable[Exchange], project: str) -> str:
    """The page; UndocumentedError for a request that Google does not document."""
    commands: dict[Call, set[str]] = {}
    for exchange in exchanges:
        commands.setdefault(judge(exchange, project), set()).add(exchange.command)
    parts = [HEAD]
    for host in ORDER:
        calls = sorted((call for call in commands if call.host == host), key=_by_path)
        if calls:
            parts.append(_section(host, calls, commands))
    assert {call.host for call in commands} <= set(ORDER)
    return "\n".join(parts)


def _by_path(call: Call) -> tuple[str, str]:
    return call.path, call.method


def _section(host: str, calls: list[Call], commands: dict[Call, set[str]]) -> str:
    rows = [
        f"## {HOSTS[host]}: `{host}`",
        "",
        "| call | method | by | document |",
        "|---|---|---|---|",
    ]
    for call in calls:
        by = "any"
        if host not in LIBRARY:
            by = ", ".join(sorted(commands[call] | NOW_AND_THEN.get(call.name, set())))
        rows.append(f"| `{call.method} {call.path}` | {call.name} | {by} | {call.document} |")
    return "\n".join(rows) + "\n"


def main() -> None:
    """Write the page from a journey made now."""
    with tempfile.TemporaryDirectory() as folder, google_user(Path(folder)) as user:
        travel(user)
        PAGE.write_text(page(user.proxy.exchanges, PROJECT), encoding="utf-8")


if __name__ == "__main__":
    main()
