"""Exchanges recorded against Google: same status, every key, ids and times that agree."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.contract.golden import GOLDEN, PROJECT, logs, replay, score, unexplained
from tests.local_cloud import LocalCloud, running_cloud


@pytest.fixture(scope="module")
def golden_cloud(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LocalCloud]:
    """A server on which only the project of the replay exists, as on Google."""
    folder = tmp_path_factory.mktemp("golden") / "data"
    with running_cloud(folder, "--project", PROJECT) as cloud:
        yield cloud


@pytest.mark.parametrize("log", [path.name for path in logs()] or ["none"])
def test_a_recorded_log_is_answered_as_google_answered_it(
    golden_cloud: LocalCloud, log: str
) -> None:
    """Each exchange with one of our hosts has its status and every key; ids and times agree."""
    if not GOLDEN.is_dir():
        pytest.skip("needs the recorded exchanges in ../shared/golden")
    run = replay(GOLDEN / log, golden_cloud.url)

    print(score({log: run}))
    assert run.problems == []
    assert unexplained(run) == []
    assert run.replayed + run.foreign > 0
