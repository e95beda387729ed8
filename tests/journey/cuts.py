"""`ops` killed at each request that changes something, and repeated: what was left, what it did.

Every cut begins from a copy of the same cloud and the same folder of the user, so that a step is
the same request each time; what was left and what became of it are counted by the cloud's API.
"""

import re
import shutil
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from tests.journey.standing import counted, difference, standing, unfinished
from tests.local_cloud import start_cloud, stop_cloud, wait_until
from tests.ops.cutting_proxy import CuttingProxy, cutting_proxy
from tests.ops.life import Life, ended, engine_options, write_photos
from tests.ops.steps import Step, form, steps

KILLED = -9
BEFORE, AFTER = "before", "after"
# Each leaves what the next one needs; the first begins in an empty cloud.
COMMANDS = {
    "import": ("import-dataset", "photos"),
    "train": ("train", "--mode", "custom", "--model-type", "linear", "--seed", "1"),
    "deploy": ("deploy", "--ttl", "30m"),
    "teardown": ("teardown", "--yes"),
}
# The fewest that a classifier may have.
LABELS, PER_LABEL = ("red shoe", "t-shirt"), 10
# A longer row of steps of one word is cut before and after in turn, a shorter one both ways.
LONG_ROW = 5
# The form of a step → what it does, in a word; the first that fits.
WORDS = (
    (r"^POST objects/locks/", "lock taken"),
    (r"^DELETE objects/locks/", "lock given back"),
    (r"^POST objects/images/", "photo uploaded"),
    (r"^POST objects/datasets/", "data set file written"),
    (r"^POST objects/.*/plan.json", "plan on record"),
    (r"^POST objects/.*/events.jsonl", "event on record"),
    (r"^POST objects/.*/result.json", "result on record"),
    (r"^POST datasets$", "data set made"),
    (r"^POST datasets/.*:import$", "import begun"),
    (r"^POST trainingPipelines$", "training submitted"),
    (r"evaluations:import$", "evaluation imported"),
    (r"slices:batchImport$", "slices imported"),
    (r"^POST endpoints$", "endpoint made"),
    (r"^PATCH endpoints/", "endpoint labelled"),
    (r":deployModel$", "model deployed"),
    (r":undeployModel$", "model undeployed"),
    (r"^POST buckets$", "bucket made"),
    (r"^DELETE buckets/", "bucket deleted"),
    (r"^DELETE objects/images/", "photo deleted"),
    (r"^DELETE objects/", "file deleted"),
    (r"^DELETE ", "resource deleted"),
)


@dataclass(frozen=True)
class Cut:
    """Where a command is killed: before that request has arrived, or after it was acted upon."""

    command: str
    step: Step
    side: str


@dataclass(frozen=True)
class Row:
    """One kill: what it left in the cloud, and what the repeat sent and came to."""

    cut: Cut
    left: str
    by: str
    sent: str
    did: str


@dataclass
class Campaign:
    """A user whose commands go through a proxy that can kill them."""

    folder: Path
    life: Life
    proxy: CuttingProxy
    known: dict[str, list[Step]] = field(default_factory=dict)
    ends: dict[str, Counter[str]] = field(default_factory=dict)

    @property
    def proxied(self) -> Life:
        """The user, whose commands find the proxy."""
        return self.life.through(self.life.home / "proxied")

    def prepare(self) -> None:
        """Run each command undisturbed: its steps, what it leads to, and a copy from before it."""
        for command, words in COMMANDS.items():
            stop_cloud(self.life.cloud)
            shutil.copytree(self.life.cloud.data, self.folder / command / "cloud")
            shutil.copytree(self.life.home / "state", self.folder / command / "state")
            self.restore(command)
            self.proxied.result(*words)
            self.known[command] = steps(self.proxy.seen)
            self.ends[command] = standing(self.life)

    def restore(self, command: str) -> None:
        """Let everything be as it was before this command."""
        stop_cloud(self.life.cloud)
        for name, place in (("cloud", self.life.data), ("state", self.life.home / "state")):
            shutil.rmtree(place)
            shutil.copytree(self.folder / command / name, place)
        cloud = start_cloud(self.life.data, *engine_options(self.life.home))
        self.life = Life(cloud, self.life.home, cloud.data)
        self.proxy.lead(cloud.data, self.proxied.data)
        self.proxy.forget()

    def kill(self, cut: Cut) -> Row:
        """Kill the command there, repeat it, and hold it against the undisturbed one."""
        self.restore(cut.command)
        before = standing(self.life)
        self.run_into(cut)
        left = standing(self.life)
        repeat = self.repeat(cut)
        self.proxy.forget()
        self.proxied.result(*repeat)
        end = standing(self.life)
        wrong = difference(settled(self.ends[cut.command]), settled(end))
        assert wrong == "—", (cut, wrong)
        sent = Counter(word(form(one)) for one in self.proxy.seen)
        by = "ops resume" if repeat[0] == "resume" else "the same again"
        came = difference(left, end)
        return Row(cut, difference(before, left), by, counted(sent) or "nothing", came)

    def run_into(self, cut: Cut) -> None:
        """Have the command killed at that step, and at no other."""
        self.proxy.arrives = cut.side == AFTER
        process = self.proxied.begin(*COMMANDS[cut.command])
        self.proxy.victim, self.proxy.wanted = process.pid, cut.step
        code = ended(process).code
        assert code == KILLED, (cut, code, self.proxy.seen)
        wait_until(lambda: self.proxy.busy == 0)
        assert self.proxy.killed_at == cut.step
        strange = set(steps(self.proxy.seen)) - set(self.known[cut.command])
        assert not strange, (cut, strange)

    def repeat(self, cut: Cut) -> tuple[str, ...]:
        """The command that takes it up: the two sides of a step by one way each, if there are."""
        words = COMMANDS[cut.command]
        number = self.known[cut.command].index(cut.step) + (cut.side == AFTER)
        if number % 2:
            return words
        if cut.command == "teardown":
            return ("resume", *words)
        runs = unfinished(self.life)
        return ("resume", runs[0]) if runs else words


def word(asked: str) -> str:
    """What a step of this form does, in a word; the form where there is none."""
    return next((said for known, said in WORDS if re.search(known, asked)), asked)


def settled(found: Counter[str]) -> Counter[str]:
    """Without locks: one that a killed process left stays until the next who needs it takes it."""
    return Counter({kind: count for kind, count in found.items() if kind != "lock"})


def all_cuts(known: Mapping[str, list[Step]]) -> list[Cut]:
    """Every step once, before and after; of a long row of like ones each on one side only.

    The same cuts in the same order, in whatever order threads asked.
    """
    found = []
    for command, its in known.items():
        counts = Counter(word(step.form) for step in its)
        for number, step in enumerate(sorted(its, key=str)):
            both = counts[word(step.form)] <= LONG_ROW
            sides = (BEFORE, AFTER) if both else ((BEFORE, AFTER)[number % 2],)
            found += [Cut(command, step, side) for side in sides]
    return found


def not_cut(known: Mapping[str, list[Step]], rows: Iterable[Row]) -> list[Cut]:
    """The cuts that the rows lack, or have more than once."""
    counts = Counter(row.cut for row in rows)
    return [cut for cut in {*all_cuts(known), *counts} if counts[cut] != 1]


@contextmanager
def campaign(folder: Path) -> Iterator[Campaign]:
    """A user with a folder of photos and an empty cloud behind a proxy, ready to be cut."""
    home = folder / "home"
    (home / "state").mkdir(parents=True)
    (home / "gate").touch()
    write_photos(home / "photos", LABELS, PER_LABEL)
    cloud = start_cloud(folder / "cloud", *engine_options(home))
    with cutting_proxy(cloud.data, home / "proxied") as proxy:
        found = Campaign(folder / "copies", Life(cloud, home, cloud.data), proxy)
        try:
            found.prepare()
            yield found
        finally:
            stop_cloud(found.life.cloud)
