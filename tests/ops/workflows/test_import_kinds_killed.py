"""Imports of several labels a photo, from a bucket in another region: killed, repeated, doubled.

A proxy kills `ops` at a request that changes something; the judge asks the cloud, not `ops`.
"""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import quote
from urllib.request import Request, urlopen

import pytest

from tests.local_cloud import running_cloud
from tests.ops.cutting_proxy import CuttingProxy, cutting_proxy
from tests.ops.life import Life, ended
from tests.ops.photo_files import photo

BUCKET = "local-project-ops-default"
KILLED = -9
PHOTOS = 20


@dataclass(frozen=True)
class Lists:
    """A user with lists of photos in a bucket far away, directly and through the proxy."""

    direct: Life
    proxied: Life
    proxy: CuttingProxy

    def put(self, name: str, content: bytes) -> str:
        """Store an object in the bucket far away; its address."""
        where = f"{self.direct.cloud.url}/upload/storage/v1/b/far/o?uploadType=media&name="
        with urlopen(Request(where + quote(name), data=content, method="POST")):
            return f"gs://far/{name}"

    def source(self, name: str) -> str:
        """A list of photos that were never imported; every second has two labels."""
        rows = []
        for number in range(PHOTOS):
            uri = self.put(f"{name}/{number}.jpg", photo(f"{name}{number}"))
            rows.append(
                f"{uri},red,hat" if number % 2 else f"{uri},{('red', 'hat')[number % 4 // 2]}"
            )
        return self.put(f"{name}.csv", "\n".join(rows).encode())

    def objects(self, prefix: str) -> list[str]:
        """The names in the stack's bucket under a prefix."""
        found = self.direct.asked(f"/storage/v1/b/{BUCKET}/o?prefix={quote(prefix)}")
        return [one["name"] for one in found.get("items", [])]

    def check(self, name: str, done: dict[str, object]) -> None:
        """One data set of one run, with each photo and each of its labels once."""
        named = [one for one in self.direct.listed("datasets") if one["displayName"] == name]
        assert [one["name"] for one in named] == [done["dataset"]]
        found = self.direct.asked(f"/v1/{done['dataset']}:searchDataItems?pageSize=1000")
        views = found["dataItemViews"]
        assert len(views) == done["photos"] == PHOTOS
        assert sum(len(view["annotations"]) for view in views) == PHOTOS * 3 // 2
        stem = str(done["run"]).rpartition("-")[0]
        plans = [one for one in self.objects(f"runs/{stem}") if one.endswith("plan.json")]
        assert len(plans) == 1


@pytest.fixture(scope="module")
def lists(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Lists]:
    """A cloud with a bucket far away, and a proxy before it."""
    folder = tmp_path_factory.mktemp("lists")
    home: Path = folder / "home"
    home.mkdir()
    with running_cloud(folder / "cloud") as cloud, cutting_proxy(cloud.data, home / "p") as proxy:
        life = Life(cloud, home, cloud.data)
        body = json.dumps({"name": "far", "location": "EUROPE-WEST4"})
        life.posted("/storage/v1/b?project=local-project", json.loads(body))
        found = Lists(life, life.through(home / "p"), proxy)
        found.proxied.result("import-dataset", found.source("first"))
        yield found


def test_killed_while_copying_and_after(lists: Lists) -> None:
    """Wherever it was cut, the repeat ends with one data set and every photo and label once."""
    source = lists.source("undisturbed")
    lists.proxy.forget()
    lists.proxied.result("import-dataset", source)
    known = list(lists.proxy.seen)
    copies = [place for place, step in enumerate(known, start=1) if "/rewriteTo/" in step]
    assert len(copies) == PHOTOS
    cuts = [copies[0], copies[9], *range(copies[-1] + 1, len(known) + 1, 4)]

    for number, at in enumerate(cuts, start=1):
        name = f"cut{number}"
        source = lists.source(name)
        lists.proxy.forget()
        process = lists.proxied.begin("import-dataset", source)
        lists.proxy.victim, lists.proxy.at, lists.proxy.arrives = process.pid, at, True
        code = ended(process).code
        done = lists.direct.result("import-dataset", source)

        assert code == KILLED, at
        lists.check(name, done)
    assert len(lists.objects("images/")) == PHOTOS * (len(cuts) + 2)
    assert lists.objects("locks/") == []


def test_two_at_once_make_one_data_set(lists: Lists) -> None:
    """Both end well and say the same: nothing is there twice."""
    source = lists.source("both")

    processes = [lists.direct.begin("import-dataset", source, "--json") for _ in range(2)]
    results = [ran.json["result"] for ran in map(ended, processes)]

    assert results[0]["dataset"] == results[1]["dataset"]
    lists.check("both", results[0])
