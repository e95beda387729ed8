"""Data folders of earlier versions, brought up to date."""

from __future__ import annotations

import json
import sqlite3
from pathlib import Path

from emulator.store.resources import Resources
from emulator.store.sqlite import SCHEMA_FOLDER, Store

MODEL = "projects/p/locations/us-central1/models/1"


def old_store(path: Path, before: int) -> sqlite3.Connection:
    """A database as the version whose newest script was below `before` made it."""
    database = sqlite3.connect(path)
    scripts = [one for one in sorted(SCHEMA_FOLDER.glob("*.sql")) if int(one.name[:4]) < before]
    for script in scripts:
        database.executescript(script.read_text(encoding="utf-8"))
    database.execute(f"PRAGMA user_version={int(scripts[-1].name[:4])}")
    return database


def test_a_model_of_before_versions_is_its_own_first_version(tmp_path: Path) -> None:
    """Model, version and evaluation are where the rules look for them; nothing is lost."""
    body = {"name": MODEL, "versionId": "1", "versionAliases": ["default"], "createTime": "t"}
    evaluation = {"name": f"{MODEL}/evaluations/2", "metrics": {"auPrc": 1}}
    database = old_store(tmp_path / "x.sqlite", before=13)
    for kind, row, parent in (
        ("aiplatform.Model", body, "projects/p/locations/us-central1"),
        ("aiplatform.ModelEvaluation", evaluation, MODEL),
    ):
        values = (kind, row["name"], parent, json.dumps(row))
        database.execute(
            "INSERT INTO resources (kind, name, parent, body) VALUES (?, ?, ?, ?)", values
        )
    database.commit()
    database.close()

    store = Store.open(tmp_path / "x.sqlite")
    found = Resources(store)

    assert found.get(MODEL) == {"name": MODEL, "createTime": "t", "_versions": 1}
    assert found.list("aiplatform.ModelVersion", MODEL) == [(f"{MODEL}@1", body)]
    kept = found.list("aiplatform.ModelEvaluation", f"{MODEL}@1")
    assert kept == [(evaluation["name"], evaluation)]
    store.close()
