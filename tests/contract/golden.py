"""Exchanges recorded against Google, replayed; `python -m tests.contract.golden` scores them."""

from __future__ import annotations

import json
import re
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit
from uuid import uuid4

import httpx

from tests.local_cloud import running_cloud

GOLDEN = Path(__file__).parents[3] / "shared" / "golden"
PROJECT = "golden-project"
# The hosts that the local cloud stands for; exchanges with others are counted and left out.
OURS = frozenset(
    {
        "artifactregistry.googleapis.com",
        "billingbudgets.googleapis.com",
        "cloudbilling.googleapis.com",
        "cloudquotas.googleapis.com",
        "cloudresourcemanager.googleapis.com",
        "iam.googleapis.com",
        "monitoring.googleapis.com",
        "serviceusage.googleapis.com",
        "storage.googleapis.com",
        "us-central1-aiplatform.googleapis.com",
    }
)
# Every recorded time was written over with this one.
RECORDED_TIME = re.compile(r"2024-04-01T12:34:56(\.123456)?Z")
VARIABLE = re.compile(r"\$\{(\w+)\}")
CHANNELS = "/notificationChannels"
# Values that may be others than the recorded ones: what a mock had written for Google's own type
# names, random prefixes, sizes.
OTHERS = ("mockgcp", "blobStoragePathPrefix", "diskUtilizationBytes", "DeleteOperationMetadata")
BIRTH = ("createTime", "timeCreated")
# As were every entity tag, every generation, and the ids that Google gives out.
RECORDED_TAG = re.compile(r"abcdef0123A=?")
RECORDED_ID = re.compile(r"12345678|12345678901234|0{21}|1{21}|8{21}")
# A recorded list shows folders of a fixture that its log never makes.
FIXTURE = ["testfolder", "testmanagedfolder"]
# Names come with the number on Google, here with what the client sent.
PROJECT_SEGMENT = "projects/${projectNumber}"


@dataclass(frozen=True)
class Exchange:
    """One recorded request and its answer; bodies are JSON or None."""

    method: str
    url: str
    sent: Any
    status: int
    answered: Any

    @property
    def host(self) -> str:
        """Whom it was recorded against."""
        return urlsplit(self.url).hostname or ""


@dataclass
class Replay:
    """What this run's ids are, and what was found wanting."""

    values: dict[str, str]
    problems: list[str] = field(default_factory=list)
    births: dict[str, str] = field(default_factory=dict)
    numbers: dict[str, str] = field(default_factory=dict)
    tags: dict[str, str] = field(default_factory=dict)
    channels: list[str] = field(default_factory=list)
    replayed: int = 0
    passed: int = 0
    foreign: int = 0
    values_seen: int = 0
    other_values: list[str] = field(default_factory=list)


def exchanges(path: Path) -> Iterator[Exchange]:
    """The exchanges of a log, in order."""
    for block in path.read_text().split("\n---\n"):
        parts = block.strip().split("\n\n")
        split = next(i for i, part in enumerate(parts) if re.match(r"\d{3} ", part))
        method, url = parts[0].splitlines()[0].split(" ", 1)
        sent = json.loads("\n\n".join(parts[1:split]) or "null")
        answered = json.loads("\n\n".join(parts[split + 1 :]) or "null")
        yield Exchange(method, url, sent, int(parts[split][:3]), answered)


def logs() -> list[Path]:
    """The recorded logs; none where they are not beside the checkout."""
    return sorted(GOLDEN.glob("*.log"))


def replay(path: Path, url: str) -> Replay:
    """Sends a log's requests in order, with this run's ids, and judges each answer."""
    recorded = list(exchanges(path))
    with httpx.Client(base_url=url, timeout=30) as client:
        run = Replay(_first_values(client, recorded))
        for number, exchange in enumerate(recorded):
            if exchange.host not in OURS:
                run.foreign += 1
                continue
            before = len(run.problems)
            _one(client, run, exchange, f"{path.stem}[{number}] {exchange.method}")
            run.replayed += 1
            run.passed += len(run.problems) == before
    return run


def _first_values(client: httpx.Client, recorded: list[Exchange]) -> dict[str, str]:
    account = f"01{uuid4().hex[:4].upper()}-ABCDEF-012345"
    values = {
        "projectId": PROJECT,
        "uniqueId": uuid4().hex[:10],
        "folderID": "123456789012",
        "organizationID": "210987654321",
        "billingAccountID": account,
        "billingAccountId": account,
        "notificationChannelID": "1234567890",
    }
    # In the logs that make a project of their own, the number is that project's.
    if not any(
        one.method == "POST" and urlsplit(one.url).path == "/v1/projects" for one in recorded
    ):
        name = client.get(f"/v3/projects/{PROJECT}").json()["name"]
        values["projectNumber"] = name.removeprefix("projects/")
    return values


def _one(client: httpx.Client, run: Replay, exchange: Exchange, where: str) -> None:
    split = urlsplit(placed(exchange.url, run.values))
    target = f"{split.path}?{split.query}" if split.query else split.path
    body = json.loads(placed(json.dumps(exchange.sent), run.values))
    if isinstance(body, dict) and RECORDED_TAG.fullmatch(str(body.get("etag", ""))):
        body["etag"] = run.tags.get(str(body.get("name")), body["etag"])
    headers = {"x-goog-user-project": PROJECT}
    content = None if body is None else json.dumps(body)
    if content is not None:
        headers["content-type"] = "application/json"
    answer = client.request(exchange.method, target, content=content, headers=headers)
    if answer.status_code != exchange.status:
        run.problems.append(f"{where} {target}: {exchange.status} was recorded, "
                            f"{answer.status_code} came: {answer.text[:300]}")  # fmt: skip
        return
    for name in _renewed(exchange):
        run.values.pop(name, None)
    got = answer.json() if answer.content.strip() else None
    _compare(run, exchange.answered, got, where)
    if CHANNELS in split.path:
        _remember_channel(run, exchange.method)
    _check_times(run, got, where)


def _renewed(exchange: Exchange) -> tuple[str, ...]:
    """The ids that an answer to this request gives out anew."""
    if exchange.method == "GET":
        return ()
    if exchange.method != "POST":
        return ("operationID",)
    if exchange.url.split("?")[0].endswith(CHANNELS):
        return ("notificationChannelID",)
    made = ("operationID", "datasetID", "tensorboardID", "billingAccountBudgetId")
    return (*made, "projectNumber") if urlsplit(exchange.url).path == "/v1/projects" else made


def _remember_channel(run: Replay, method: str) -> None:
    """A log with two channels calls both the same: when one is gone, the one before is meant."""
    if method == "POST":
        run.channels.append(run.values["notificationChannelID"])
    elif method == "DELETE":
        run.channels.pop()
        run.values["notificationChannelID"] = run.channels[-1] if run.channels else ""


def placed(text: str, values: dict[str, str]) -> str:
    """A recorded text with this run's ids in the place of `${…}`; unknown ones stay."""
    return VARIABLE.sub(lambda found: values.get(found[1], found[0]), text)


def _compare(run: Replay, wanted: Any, got: Any, where: str) -> None:
    """Every recorded key is there; ids and paths are those of this run."""
    if isinstance(wanted, dict):
        if not isinstance(got, dict):
            run.problems.append(f"{where}: an object was recorded, came: {got!r}")
            return
        _remember_number(run, got)
        for key, value in wanted.items():
            if value == FIXTURE:
                continue
            if key not in got:
                run.problems.append(f"{where}/{key} is missing")
            else:
                _compare(run, value, got[key], f"{where}/{key}")
    elif isinstance(wanted, list):
        if not isinstance(got, list) or len(got) < len(wanted):
            run.problems.append(f"{where}: {len(wanted)} items were recorded, came: {got!r}")
            return
        for place, value in enumerate(wanted):
            _compare(run, value, got[place], f"{where}[{place}]")
    else:
        _compare_value(run, wanted, got, where)


def _remember_number(run: Replay, got: dict[str, Any]) -> None:
    """A log with two projects calls both of their numbers the same: each keeps its own."""
    project, number = got.get("projectId"), got.get("projectNumber")
    if project and number:
        run.values["projectNumber"] = run.numbers.setdefault(str(project), str(number))


def _compare_value(run: Replay, wanted: Any, got: Any, where: str) -> None:
    run.values_seen += 1
    if isinstance(wanted, str) and RECORDED_TIME.fullmatch(wanted):
        if not _is_time(got):
            run.problems.append(f"{where} is no time: {got!r}")
    elif isinstance(wanted, str) and _is_placeholder(wanted):
        if not isinstance(got, str) or not got:
            run.problems.append(f"{where} is empty: {got!r}")
    elif isinstance(wanted, str) and VARIABLE.search(wanted) and isinstance(got, str):
        _match(run, wanted, got, where)
    elif wanted != got:
        run.other_values.append(f"{where}: {wanted!r} was recorded, {got!r} came")


def _is_placeholder(text: str) -> bool:
    return bool(RECORDED_TAG.fullmatch(text) or RECORDED_ID.fullmatch(text))


def _match(run: Replay, wanted: str, got: str, where: str) -> None:
    """Learns the ids that are new, and holds the others to what they were."""
    if wanted.startswith("https://") and got.startswith("http://127.0.0.1"):
        wanted, got = urlsplit(wanted).path, urlsplit(got).path
    pattern = re.escape(wanted).replace(r"\$\{", "${").replace(r"\}", "}")
    number = run.values.get("projectNumber")
    if number is not None:
        either = f"projects/(?:{number}|{re.escape(PROJECT)})"
        pattern = pattern.replace(PROJECT_SEGMENT, either)
    learned: list[str] = []

    def group(found: re.Match[str]) -> str:
        if found[1] in run.values:
            return re.escape(run.values[found[1]])
        if found[1] in learned:
            return f"(?P={found[1]})"
        learned.append(found[1])
        return f"(?P<{found[1]}>[^/]+)"

    match = re.fullmatch(VARIABLE.sub(group, pattern), got)
    if match is None and "://" not in wanted and " " not in wanted:
        run.problems.append(f"{where}: {placed(wanted, run.values)!r} was recorded, {got!r} came")
    elif match is None:
        run.other_values.append(f"{where}: {wanted!r} was recorded, {got!r} came")
    else:
        run.values.update(match.groupdict())


def _check_times(run: Replay, got: Any, where: str) -> None:
    """A resource is as old in every answer, and never changed before it was made."""
    if not isinstance(got, dict):
        return
    for value in got.values():
        _check_times(run, value, where)
    name = str(got.get("name") or got.get("id") or "")
    if name and "etag" in got:
        run.tags[name] = str(got["etag"])
    for key in BIRTH:
        if key in got and name:
            born = run.births.setdefault(f"{name} {got.get('generation', '')}", got[key])
            if born != got[key]:
                run.problems.append(f"{where}: {name} was made at {born}, now at {got[key]}")
            changed = got.get("updateTime") or got.get("updated") or got[key]
            if _moment(changed) < _moment(got[key]):
                run.problems.append(f"{where}: {name} changed at {changed}, before it was made")


def _is_time(text: Any) -> bool:
    try:
        return _moment(str(text)).tzinfo is not None
    except ValueError:
        return False


def _moment(text: str) -> datetime:
    return datetime.fromisoformat(text)


def unexplained(run: Replay) -> list[str]:
    """The values that differ from the recorded ones for no known reason."""
    return [line for line in run.other_values if not any(word in line for word in OTHERS)]


def score(runs: dict[str, Replay]) -> str:
    """A line a log and the sum, for people."""
    lines = [
        f"{name:36} {run.passed:3} of {run.replayed:3}, {run.foreign:2} of other hosts,"
        f" {run.values_seen - len(run.other_values):4} of {run.values_seen:4} values the same"
        for name, run in runs.items()
    ]
    passed = sum(run.passed for run in runs.values())
    replayed = sum(run.replayed for run in runs.values())
    foreign = sum(run.foreign for run in runs.values())
    return "\n".join([*lines, f"golden: {passed} of {replayed} exchanges; {foreign} out of scope"])


def main() -> None:
    """Prints what was found wanting, which values differ, and the score."""
    with (
        tempfile.TemporaryDirectory() as folder,
        running_cloud(Path(folder) / "data", "--project", PROJECT) as cloud,
    ):
        runs = {path.stem: replay(path, cloud.url) for path in logs()}
    for run in runs.values():
        for line in [*run.problems, *(f"  other: {one}" for one in run.other_values)]:
            print(line)
    print(score(runs))


if __name__ == "__main__":
    main()
