"""The whole stack of `infra/` by the real provider: apply, empty re-plan, destroy.

Alone on a fresh local cloud, the state in its bucket. Without the provider it says what is missing.
"""

import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

from bench.table import Figure, show
from tests.infra.terraform_stack import AT_ONCE, prepared, provider_version
from tests.local_cloud import running_cloud

# Issue 6; the floor is the provider's fixed waits: 11 s for an account, 3 s for each policy write.
MOST_SECONDS = {"apply": 26, "empty re-plan": 3, "destroy": 14}


def seconds(work: Callable[[], object]) -> float:
    """How long a piece of work takes."""
    started = time.perf_counter()
    work()
    return time.perf_counter() - started


def main() -> int:
    """Print one table; 0 without a provider too, after a line that says so."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        (folder / "provider").mkdir()
        version, why = provider_version(folder / "provider")
        if not version:
            print(f"terraform_stack: left out; it {why}.")
            return 0
        with running_cloud(folder / "cloud") as cloud:
            stack = prepared(cloud, folder / "stack")
            measured = {"apply": seconds(stack.apply)}
            replan = ("plan", "-detailed-exitcode", AT_ONCE)
            measured["empty re-plan"] = seconds(lambda: stack.run(*replan))
            resources = len(stack.in_state())
            measured["destroy"] = seconds(stack.destroy)
    show(
        f"terraform: {resources} resources, hashicorp/google {version}",
        [
            Figure(what, f"{measured[what]:.1f} s", f"<= {most} s", measured[what] <= most)
            for what, most in MOST_SECONDS.items()
        ],
    )
    return 0


if __name__ == "__main__":
    sys.exit(main())
