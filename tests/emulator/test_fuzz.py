"""A short fuzz of a real server: valid requests succeed, nothing fails, nothing hangs.

The long one is `python -m bench.fuzz --minutes 10`; OPS_TEST_SEED repeats a run.
"""

from __future__ import annotations

import os
import random
from collections.abc import Callable

import pytest

from tests.emulator.fuzz.campaign import run
from tests.local_cloud import LocalCloud

EXAMPLES = 5


def test_no_failure_and_no_hang(
    start: Callable[..., LocalCloud], capsys: pytest.CaptureFixture[str]
) -> None:
    """Every scenario at least once: no 5xx but 501, an answer in time, valid ones accepted."""
    number = int(os.environ.get("OPS_TEST_SEED", random.randrange(1 << 32)))

    target = run(start("--allow-keys").url, EXAMPLES, number)

    with capsys.disabled():
        print(f"\nfuzz, seed {number}\n{target.table()}")
    assert target.findings == []
    assert target.counts["valid", "accepted"] > 300
    assert target.counts["mutated", "accepted"] > 0 and target.counts["mutated", "refused"] > 100
