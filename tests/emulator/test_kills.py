"""`kill -9` of the server at random instants: what it acknowledged is there, whole, and no more."""

from __future__ import annotations

import os
import random
from collections.abc import Callable
from pathlib import Path

from tests.emulator.kills.actions import Actor, media
from tests.emulator.kills.campaign import campaign, prepare, seed_of_the_day
from tests.emulator.kills.checks import Checker
from tests.emulator.kills.journal import Journal
from tests.emulator.kills.wire import PLAIN, Wire, object_path
from tests.local_cloud import LocalCloud

KILLS = int(os.environ.get("OPS_TEST_SERVER_KILLS", "20"))


def test_nothing_acknowledged_is_missing_and_nothing_is_torn(tmp_path: Path) -> None:
    """20 kills amid concurrent writes of every kind; the journal of an outside process is met."""
    seed = seed_of_the_day()
    print(f"seed {seed}: OPS_TEST_SEED={seed} repeats the instants")

    outcome = campaign(tmp_path, seed, KILLS)

    assert outcome.problems == []
    assert outcome.kills == KILLS
    assert outcome.acknowledged >= KILLS
    print(outcome)


def test_the_check_sees_what_is_lost_torn_or_left_over(
    start: Callable[..., LocalCloud], tmp_path: Path
) -> None:
    """Loss, torn bytes, rests and what nobody asked for are found: the campaign can fail."""
    cloud = start()
    prepare(cloud.url)
    journal = Journal(tmp_path / "journal")
    actor = Actor("w0", random.Random(0), journal, Wire(cloud.url))
    for _ in range(12):
        media(actor)
    checker = Checker(cloud.data, tmp_path / "journal", random.Random(0))
    checker.check(cloud.url)
    assert checker.problems == []

    lost = actor.own(f"object/{PLAIN}")
    assert lost is not None
    actor.wire.json("DELETE", object_path(PLAIN, lost.split("/", 2)[2]))
    actor.wire.ask("POST", f"/upload/storage/v1/b/{PLAIN}/o?uploadType=media&name=extra", b"extra")
    torn = max(cloud.data.glob("blobs/??/*"), key=lambda path: path.stat().st_size)
    torn.chmod(0o600)
    torn.write_bytes(b"torn")
    (cloud.data / "blobs" / "00").mkdir(exist_ok=True)
    (cloud.data / "blobs" / "00" / "left").write_bytes(b"")
    again = Checker(cloud.data, tmp_path / "journal", random.Random(0), sweep_seconds=0)
    again.check(cloud.url, everything=True)
    journal.close()

    found = "\n".join(again.problems)
    assert f"{lost}: is None, acknowledged" in found
    assert f"object/{PLAIN}/extra: is listed, and should not be" in found
    assert f"{torn}: the bytes are not those of its name" in found
    assert "blob left: no row refers to it" in found
