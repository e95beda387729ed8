"""A few of many places to cut, chosen at random: what keeps campaigns of kills short in the suite.

`OPS_TEST_CUTS=0` takes all of them; `python -m bench resume kills` are the whole campaigns.
"""

import os
import random
from collections.abc import Sequence
from typing import TypeVar

CUTS = int(os.environ.get("OPS_TEST_CUTS", "3"))
SEED = int(os.environ.get("OPS_TEST_SEED", "0")) or random.SystemRandom().randrange(1, 10**6)

One = TypeVar("One")


def sample(every: Sequence[One], most: int = CUTS) -> list[One]:
    """At most `most` of these (0: all), in their order; the seed is printed."""
    if not most or most >= len(every):
        return list(every)
    print(f"{most} of {len(every)} cuts, seed {SEED}")
    chosen = sorted(random.Random(SEED).sample(range(len(every)), most))
    return [every[index] for index in chosen]
