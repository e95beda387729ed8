"""The variables of `infra/` come from `ops` itself or from the `[infra]` table of ops.toml."""

from __future__ import annotations

import re
from pathlib import Path

from ops import infra_options, settings
from ops.infra_options import Shape
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


def test_the_options_are_the_variables_with_every_key_within() -> None:
    """What ops.toml may hold is what variables.tf takes: types, nested keys, what is needed."""
    declared = {one.name: re.sub(r"\s", "", one.type) for one in variables(INFRA)}

    for name, shape in infra_options.OPTIONS.items():
        # Lists of TOML become sets too, and a default is Terraform's to fill in.
        theirs = re.sub(r"\bset\(", "list(", declared[name])
        theirs = re.sub(r"(optional\(list\(number\)),\[[^\]]*\]", r"\1", theirs)

        assert as_hcl(shape) == theirs, name


def as_hcl(shape: Shape) -> str:
    """The shape as the type of a variable, without spaces."""
    if shape.kind == "object":
        types = {
            key: as_hcl(one) if key in shape.needed else f"optional({as_hcl(one)})"
            for key, one in shape.keys.items()
        }
        return f"object({{{','.join(f'{key}={one}' for key, one in types.items())}}})"
    return f"{shape.kind}({as_hcl(shape.of)})" if shape.of else shape.kind


def test_what_is_read_from_the_outputs_is_there() -> None:
    """Trainings, deployments and images look for these names."""
    assert set(OUTPUTS) <= {one.name for one in outputs(INFRA)}
