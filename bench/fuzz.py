"""The long fuzz of a real server: `python -m bench.fuzz --minutes 10`, rounds of new seeds.

Scenarios of valid requests over storage (JSON and XML) and Vertex AI, each sent again with
something changed; messages of every RPC made from its descriptors; bytes that are no HTTP. Every
seed is printed, and what was accepted and refused; the exit code is 1 if there was a 5xx (but
501), an answer that did not come within 15 s, or a valid request that was refused.
"""

import argparse
import random
import sys
import tempfile
import time
from collections import Counter
from pathlib import Path

from tests.emulator.fuzz.campaign import run
from tests.emulator.fuzz.routes import every
from tests.local_cloud import running_cloud

EXAMPLES = 60


def main() -> int:
    """0 if nothing was found."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--minutes", type=float, default=10.0)
    parser.add_argument("--seed", type=int, default=None, help="one round of this seed")
    options = parser.parse_args()
    reached: dict[str, set[str]] = {"asked": set(), "accepted": set()}
    counts: Counter[tuple[str, str]] = Counter()
    findings: list[str] = []
    slowest = 0.0
    end = time.monotonic() + options.minutes * 60
    with (
        tempfile.TemporaryDirectory() as folder,
        running_cloud(Path(folder) / "data", "--allow-keys", "--image-pull-seconds", "1") as cloud,
    ):
        while time.monotonic() < end:
            number = options.seed if options.seed is not None else random.randrange(1 << 32)
            target = run(cloud.url, EXAMPLES, number)
            print(f"seed {number}: {sum(target.counts.values())} requests", flush=True)
            for finding in target.findings:
                print(f"  {finding}", flush=True)
            counts += target.counts
            findings += target.findings
            for word, found in target.reached.items():
                reached[word] |= found & every()
            slowest = max(slowest, target.slowest_seconds)
            if options.seed is not None:
                break
    for (kind, word), number in sorted(counts.items()):
        print(f"{kind:10} {word:16} {number}")
    for word, found in reached.items():
        print(f"{len(found)} of {len(every())} routes {word}")
    print("never accepted:", ", ".join(sorted(every() - reached["accepted"])))
    print(f"{sum(counts.values())} requests, slowest {slowest:.2f} s, {len(findings)} findings")
    return 1 if findings else 0


if __name__ == "__main__":
    sys.exit(main())
