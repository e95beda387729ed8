"""`kill -9` of `ops bootstrap` at random instants, of `ops` alone and of all that it started.

After each: typed again it ends well, a third time there is nothing to change, and nothing exists
twice; then `ops teardown`, so that the next one meets what a destroy leaves (quota requests, a
pool that was deleted softly). `python -m bench bootstrap_kills`; the seed is printed, and
OPS_TEST_SEED repeats a campaign, OPS_TEST_KILLS says how many.
"""

import os
import random
import sys
import tempfile
import time
from pathlib import Path

from ops.cloud import emulator
from tests.infra.terraform_stack import provider_version
from tests.ops import bootstraps
from tests.ops.bootstraps import ONCE, Home

KILLS = int(os.environ.get("OPS_TEST_KILLS", "6"))
LONGEST_SECONDS = 26.0


def main() -> int:
    """1 when one of the kills left something that a repeat did not mend."""
    seed = int(os.environ.get("OPS_TEST_SEED", random.SystemRandom().randrange(10**6)))
    with tempfile.TemporaryDirectory() as folder:
        (Path(folder) / "provider").mkdir()
        version, why = provider_version(Path(folder) / "provider")
        if not version:
            print(f"skipped: {why}")
            return 0
        print(f"seed {seed}, {KILLS} kills, hashicorp/google {version}")
        return _campaign(bootstraps.home(Path(folder)), seed)


def _campaign(home: Home, seed: int) -> int:
    bad = 0
    try:
        for number, moment in enumerate(bootstraps.moments(seed, KILLS, LONGEST_SECONDS)):
            everything = number % 2 == 0
            at = bootstraps.killed(home, moment, everything=everything)
            began = time.monotonic()
            found = _mended(home)
            whom = "all of it" if everything else "ops alone"
            seconds = time.monotonic() - began
            print(
                f"{moment:5.1f} s  {whom:9}  {at:20}  again {seconds:4.1f} s  {found}", flush=True
            )
            bad += found != "mended"
    finally:
        for one in home.terraforms():
            one.kill()
        emulator.stop(home.data)
    print(f"{KILLS - bad} of {KILLS} mended")
    return int(bool(bad))


def _mended(home: Home) -> str:
    """`mended`, or what was not."""
    again = home.ops("bootstrap", "--yes")
    if again.code:
        return f"again ended with {again.code}: {again.message[-500:]}"
    third = home.ops("bootstrap", "--json")
    if third.json["result"]["changes"]:
        return f"still to change: {third.json['result']['changes']}"
    if home.counts() != ONCE:
        return f"there are {home.counts()}"
    gone = home.ops("teardown", "--yes")
    return "mended" if gone.code == 0 else f"teardown: {gone.message[-500:]}"


if __name__ == "__main__":
    sys.exit(main())
