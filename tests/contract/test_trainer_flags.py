"""The trainer's flags as the trainer has them and as `ops` offers them."""

import tomllib
from pathlib import Path

ROOT = Path(__file__).parents[2]


def test_ops_offers_every_flag_of_the_trainer_and_no_other() -> None:
    """The two tables, which must not import each other, say the same."""
    trainer = tomllib.loads((ROOT / "trainer" / "flags.toml").read_text())
    ops = tomllib.loads((ROOT / "ops" / "workflows" / "trainer_flags.toml").read_text())

    assert ops == trainer
    assert list(ops) == list(trainer)
