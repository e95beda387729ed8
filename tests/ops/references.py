"""What a model says of each test photo, worked out in the test, where `ops` looks for it."""

import json
from urllib.parse import quote
from urllib.request import Request, urlopen

from tests.ops.life import Life
from tests.ops.tiny_engine import colour, scores

BUCKET = "local-project-ops-default"


def objects(life: Life, prefix: str) -> list[str]:
    """The names of the objects under a prefix."""
    found = life.asked(f"/storage/v1/b/{BUCKET}/o?prefix={quote(prefix)}")
    return [one["name"] for one in found.get("items", [])]


def read(life: Life, name: str) -> bytes:
    """An object's bytes."""
    url = f"{life.cloud.url}/storage/v1/b/{BUCKET}/o/{quote(name, safe='')}?alt=media"
    with urlopen(url) as answer:
        return bytes(answer.read())


def put(life: Life, name: str, text: str) -> None:
    """An object in place of what was there."""
    where = f"/upload/storage/v1/b/{BUCKET}/o?uploadType=media&name={quote(name, safe='')}"
    with urlopen(Request(life.cloud.url + where, data=text.encode(), method="POST")):
        return


def leave_reference(life: Life, run: str, turned: bool = False) -> None:
    """What the model says of each test photo, worked out here; `turned`: of other labels."""
    manifest = next(name for name in objects(life, "datasets/") if name.endswith("manifest.jsonl"))
    rows = [json.loads(line) for line in read(life, manifest).decode().splitlines()]
    photos = {row["uri"]: colour(read(life, row["uri"].split("/", 3)[3])) for row in rows}
    labels = sorted({row["labels"][0] for row in rows})
    means = {}
    for label in labels:
        mine = [r["uri"] for r in rows if r["labels"] == [label] and r["split"] == "training"]
        columns = zip(*(photos[uri] for uri in mine), strict=True)
        means[label] = tuple(sum(column) / len(mine) for column in columns)
    if turned:
        means = dict(zip(means, [*list(means.values())[1:], means[labels[0]]], strict=True))
    lines = []
    for row in rows:
        if row["split"] == "test":
            found = scores(means, photos[row["uri"]])
            best = max(found, key=found.__getitem__)
            facts = {"uri": row["uri"], "labels": row["labels"], "prediction": best}
            lines.append(json.dumps({**facts, "scores": list(found.values())}))
    put(life, f"runs/{run}/batch/predictions.jsonl", "\n".join(lines) + "\n")
    put(life, f"runs/{run}/batch/labels.txt", "\n".join(labels) + "\n")
