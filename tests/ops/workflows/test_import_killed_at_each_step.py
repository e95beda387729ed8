"""`ops import-dataset` is killed at its requests, and repeated: nothing is lost or there twice.

A proxy kills it at a request that changes something: after it arrived, before its answer came
back. The judge asks the cloud, not `ops`.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import quote

import pytest

from tests.local_cloud import running_cloud
from tests.ops.cutting_proxy import CuttingProxy, cutting_proxy
from tests.ops.life import Life, ended
from tests.ops.photo_files import photo
from tests.sampled import CUTS, sample

BUCKET = "local-project-ops-default"
KILLED = -9
LABELS = ("cat", "dog")
PHOTOS = 20
# The plan is the first request; the photos follow, sent by many threads: three cuts stand for all.
CUTS_IN_PHOTOS = (2, 11, 1 + PHOTOS)
FIRST_AFTER_PHOTOS = 2 + PHOTOS


@dataclass(frozen=True)
class Imports:
    """A user with new photos for every import, directly and through the proxy."""

    direct: Life
    proxied: Life
    proxy: CuttingProxy

    def folder(self, name: str) -> Path:
        """Photos that were never imported."""
        for label in LABELS:
            (self.direct.home / name / label).mkdir(parents=True)
            for number in range(PHOTOS // len(LABELS)):
                path = self.direct.home / name / label / f"{number}.jpg"
                path.write_bytes(photo(f"{name}{label}{number}"))
        return self.direct.home / name

    def killed(self, name: str, at: int, arrives: bool) -> int:
        """How the import ended that was killed around its request number `at`."""
        self.proxy.forget()
        process = self.proxied.begin("import-dataset", name)
        self.proxy.victim, self.proxy.at, self.proxy.arrives = process.pid, at, arrives
        return ended(process).code

    def objects(self, prefix: str) -> list[str]:
        """The names in the bucket under a prefix."""
        found = self.direct.asked(f"/storage/v1/b/{BUCKET}/o?prefix={quote(prefix)}")
        return [one["name"] for one in found.get("items", [])]


@pytest.fixture(scope="module")
def imports(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Imports]:
    """A cloud with one data set, and a proxy before it."""
    folder = tmp_path_factory.mktemp("imports")
    home = folder / "home"
    home.mkdir()
    with running_cloud(folder / "cloud") as cloud, cutting_proxy(cloud.data, home / "p") as proxy:
        life = Life(cloud, home, cloud.data)
        found = Imports(life, life.through(home / "p"), proxy)
        found.folder("known")
        found.proxied.result("import-dataset", "known")
        yield found


def changes(imports: Imports, name: str) -> list[str]:
    """The requests of an undisturbed import that change something."""
    imports.folder(name)
    imports.proxy.forget()
    imports.proxied.result("import-dataset", name)
    return list(imports.proxy.seen)


def test_an_import_killed_anywhere_is_there_once(imports: Imports) -> None:
    """The repeat ends well: one run, one data set, every photo and every data item once."""
    known = changes(imports, "undisturbed")
    print("\n".join(known))
    after = range(FIRST_AFTER_PHOTOS, len(known) + 1)
    before = len(imports.objects("images/"))

    cuts = sample((0, 1, *CUTS_IN_PHOTOS, *after), most=CUTS and 2 * CUTS)
    for number, at in enumerate(cuts, start=1):
        name = f"cut{number}"
        imports.folder(name)
        code = imports.killed(name, max(at, 1), arrives=at > 0)
        done = imports.direct.result("import-dataset", name)

        assert code == KILLED, at
        assert len(imports.objects("images/")) == before + number * PHOTOS
        check_one(imports, name, done)
    assert imports.objects("locks/") == []
    assert [step for step in known if step.endswith(("/datasets", ":import"))] != []


def check_one(imports: Imports, name: str, done: dict[str, object]) -> None:
    """One run of this name, one data set of that run, and its photos in it."""
    datasets = imports.direct.listed("datasets")
    of_run = [one for one in datasets if one.get("labels", {}).get("ops-run") == done["run"]]
    assert [one["name"] for one in of_run] == [done["dataset"]]
    assert [one["displayName"] for one in datasets].count(name) == 1
    items = imports.direct.asked(f"/v1/{done['dataset']}/dataItems?pageSize=1000")["dataItems"]
    assert len(items) == done["photos"] == PHOTOS
    assert len(imports.objects(f"datasets/{name}/")) == 4
    stem = str(done["run"]).rpartition("-")[0]
    assert len([one for one in imports.objects(f"runs/{stem}") if one.endswith("plan.json")]) == 1
