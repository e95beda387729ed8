"""The storage checks, in this process and over the wire."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

import tests.contract.storage_checks_more  # noqa: F401  (adds its checks to the list)
from tests.contract.storage_checks import CHECKS, Check
from tests.contract.storage_targets import Target, in_process, over_the_wire

OURS = {"in process": in_process, "over the wire": over_the_wire}


@pytest.fixture(scope="module", params=OURS)
def target(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Target]:
    """Our own server, both ways."""
    folder = tmp_path_factory.mktemp("contract") / "data"
    with OURS[request.param](folder) as found:
        yield found


@pytest.mark.parametrize("check", CHECKS, ids=lambda check: check.run.__name__)
def test_it_is_as_the_check_says(target: Target, check: Check) -> None:
    """Each sentence of the list is so."""
    check.run(target)
