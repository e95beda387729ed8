"""The variables of `infra/` come from `ops` itself or from the `[infra]` table of ops.toml."""

from __future__ import annotations

from pathlib import Path

from ops import settings
from ops.workflows import bootstrap_variables
from tests.infra.hcl_files import INFRA, outputs, variables
from tests.ops.workflows.test_records import OUTPUTS


def test_every_variable_is_passed_or_can_be_set(tmp_path: Path) -> None:
    """What `ops` passes by itself and what ops.toml may have are all that there is, sorted."""
    found = settings.read({}, {}, tmp_path)

    passed = set(bootstrap_variables.variables(found, "123"))

    # Its default is the target's: on where it is billed.
    assert passed & set(settings.INFRA_KEYS) == {"deletion_protection"}
    assert sorted(passed | set(settings.INFRA_KEYS)) == [one.name for one in variables(INFRA)]
    assert list(settings.INFRA_KEYS) == sorted(settings.INFRA_KEYS)


def test_what_is_read_from_the_outputs_is_there() -> None:
    """Trainings, deployments and images look for these names."""
    assert set(OUTPUTS) <= {one.name for one in outputs(INFRA)}
