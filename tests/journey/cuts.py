"""Commands killed at each of their requests and repeated: what was left, what the repeat did."""

import json
import re
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from pathlib import Path
from urllib.error import HTTPError

from tests.ops.cutting_proxy import CuttingProxy, cutting_proxy
from tests.ops.life import Life, ended, living

BUCKET = "local-project-ops-default"
KILLED = -9
# Requests that change something → what they do, in a word; the first that fits.
WORDS = (
    (r"/locks/|locks%2F| locks/", "lock"),
    (r" images/", "photo"),
    (r" runs/[^/]+/plan.json", "plan on record"),
    (r" runs/[^/]+/events.jsonl", "event on record"),
    (r" runs/[^/]+/result.json", "result on record"),
    (r" datasets/.*/([a-z]+)\.", "data set file"),
    (r"^POST .*/datasets$", "data set made"),
    (r"^POST .*/datasets/.*:import$", "import begun"),
    (r"^POST .*/trainingPipelines$", "training submitted"),
    (r"evaluations:import$", "evaluation imported"),
    (r"slices:batchImport$", "slices imported"),
    (r"^POST .*/endpoints$", "endpoint made"),
    (r"^PATCH .*/endpoints/", "endpoint labelled"),
    (r":deployModel$", "model deployed"),
    (r":undeployModel$", "model undeployed"),
    (r"^DELETE .*/(endpoints|trainingPipelines|models|datasets|customJobs)/", "resource deleted"),
    (r"^DELETE .*/o/", "object deleted"),
    (r"^DELETE .*/b/[^/]+$", "bucket deleted"),
    (r"^POST /storage/v1/b$", "bucket made"),
)


@dataclass(frozen=True)
class Row:
    """One kill: at which step, what it left in the cloud, and what the repeat did there."""

    command: str
    step: str
    left: str
    by: str
    repeat: str


@dataclass
class Campaign:
    """A user whose commands go through a proxy that can kill them; `rows` say how it went."""

    life: Life
    proxied: Life
    proxy: CuttingProxy
    rows: list[Row] = field(default_factory=list)

    def steps(self, *words: str) -> list[str]:
        """The requests of an undisturbed command that change something."""
        self.proxy.forget()
        self.proxied.result(*words)
        return list(self.proxy.seen)

    def cut(self, words: tuple[str, ...], at: int, known: list[str]) -> None:
        """Kill the command when its request number `at` has arrived, and repeat it.

        By its run's id where one is on record, and at every other cut by the same words.
        """
        before = self.standing()
        self.proxy.forget()
        process = self.proxied.begin(*words)
        self.proxy.victim, self.proxy.at = process.pid, at
        code = ended(process).code
        assert code == KILLED, (words, at, code)
        left = difference(before, self.standing())
        step = f"{at:2} of {len(known)}: {word(self.proxy.seen[at - 1])}"
        repeat = self.repeat(words)
        self.proxy.forget()
        self.proxied.result(*repeat)
        did = Counter(map(word, self.proxy.seen))
        del did["lock"]
        by = "ops resume" if repeat[0] == "resume" else "the same again"
        self.rows.append(Row(f"ops {words[0]}", step, left, by, counted(did) or "nothing more"))

    def repeat(self, words: tuple[str, ...]) -> tuple[str, ...]:
        """The command that takes it up."""
        if words[0] == "teardown":
            return words if len(self.rows) % 2 else ("resume", "teardown", "--yes")
        unfinished = [one["run"] for one in self.life.result("resume")["runs"]]
        if unfinished and len(self.rows) % 2 == 0:
            return ("resume", unfinished[-1])
        return words

    def standing(self) -> Counter[str]:
        """How many there are of everything, asked of the cloud and not of `ops`."""
        found: Counter[str] = Counter()
        for kind in ("datasets", "trainingPipelines", "endpoints"):
            found[NOUNS[kind]] = len(self.life.listed(kind))
        for endpoint in self.life.listed("endpoints"):
            found["deployed model"] += len(endpoint.get("deployedModels", []))
        for model in self.life.listed("models"):
            found["model version"] += len(self.versions(str(model["name"])))
        for name in self.objects():
            found[kind_of_object(name)] += 1
        return found

    def versions(self, model: str) -> list[dict[str, object]]:
        """The versions of a model."""
        return list(self.life.asked(f"/v1/{model}:listVersions").get("models", []))

    def objects(self) -> list[str]:
        """The names in the bucket; none without a bucket."""
        try:
            found = self.life.asked(f"/storage/v1/b/{BUCKET}/o?maxResults=5000")
        except HTTPError:
            return []
        return [str(one["name"]) for one in found.get("items", [])]


NOUNS = {"datasets": "data set", "trainingPipelines": "training", "endpoints": "endpoint"}


def kind_of_object(name: str) -> str:
    """What an object is, in a word."""
    kinds = {
        r"images/": "photo",
        r"datasets/": "data set file",
        r"locks/": "lock",
        r"runs/[^/]+/plan.json": "run planned",
        r"runs/[^/]+/result.json": "result",
        r"runs/[^/]+/events.jsonl": "record of events",
    }
    return next((kind for form, kind in kinds.items() if re.match(form, name)), "file of a run")


def word(request: str) -> str:
    """What a request does, in a word."""
    return next((said for form, said in WORDS if re.search(form, request)), request)


def counted(found: Counter[str]) -> str:
    """`2 photos`, as `photo x2`, comma separated."""
    return ", ".join(f"{kind} x{count}" if count > 1 else kind for kind, count in found.items())


def difference(before: Counter[str], after: Counter[str]) -> str:
    """What there is more and less of."""
    more, less = after - before, before - after
    return ", ".join(filter(None, [counted(more), f"gone: {counted(less)}" if less else ""])) or "—"


def telling(known: list[str]) -> list[int]:
    """The steps to cut at: the first and the last of each row of the same kind."""
    kinds = [word(one) for one in known]
    edges = [
        number
        for number in range(1, len(kinds) + 1)
        if number in (1, len(kinds))
        or kinds[number - 1] != kinds[number - 2]
        or kinds[number - 1] != kinds[number]
    ]
    return [number for number in edges if kinds[number - 1] != "lock"]


@contextmanager
def campaign(folder: Path) -> Iterator[Campaign]:
    """A life behind a proxy."""
    with living(folder) as life, cutting_proxy(life.cloud.data, life.home / "proxied") as proxy:
        yield Campaign(life, life.through(life.home / "proxied"), proxy)


def write(rows: list[Row], path: Path) -> None:
    """Add the rows to a file of JSON lines."""
    with path.open("a") as file:
        file.writelines(json.dumps(asdict(row)) + "\n" for row in rows)


def never_twice(life: Life, run: str) -> bool:
    """Whether a run has one training, and its one version one evaluation of three slices."""
    trainings = [o for o in life.listed("trainingPipelines") if o["labels"]["ops-run"] == run]
    name = trainings[0]["modelToUpload"]["name"]
    version = trainings[0]["modelToUpload"]["versionId"]
    found = life.asked(f"/v1/{name}@{version}/evaluations")["modelEvaluations"]
    slices = life.asked(f"/v1/{found[0]['name']}/slices")["modelEvaluationSlices"]
    return (len(trainings), len(found), len(slices)) == (1, 1, 3)
