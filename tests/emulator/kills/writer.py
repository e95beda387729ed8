"""The outside writer: a process that asks for changes and keeps the journal, server or not.

`python -m tests.emulator.kills.writer ADDRESS JOURNAL --seed N --threads N --actions media …`:
ADDRESS is a file with the server's URL and a number, both new after each kill, or the word `stop`.
A writer whose request was not answered asks nothing more before there is a new one.
"""

from __future__ import annotations

import argparse
import random
import sys
import threading
import time
from pathlib import Path

from tests.emulator.kills.actions import ACTIONS, Actor
from tests.emulator.kills.journal import Journal
from tests.emulator.kills.wire import LostError, RefusedError, Wire, look_up

POLL_SECONDS = 0.01
STOP = "stop"


def main() -> int:
    """0 when it was told to stop, 1 when the server refused something."""
    parser = argparse.ArgumentParser()
    parser.add_argument("address", type=Path)
    parser.add_argument("journal", type=Path)
    parser.add_argument("--seed", type=int, required=True)
    parser.add_argument("--threads", type=int, default=3)
    parser.add_argument("--actions", nargs="+", choices=list(ACTIONS), default=list(ACTIONS))
    options = parser.parse_args()
    journal = Journal(options.journal)
    failures: list[BaseException] = []
    threads = [
        threading.Thread(target=write, args=(options, journal, number, failures))
        for number in range(options.threads)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    journal.close()
    return 1 if failures else 0


def write(
    options: argparse.Namespace,
    journal: Journal,
    number: int,
    failures: list[BaseException],
) -> None:
    """One thread's changes, until it is told to stop or anything is refused."""
    chance = random.Random(f"{options.seed} {number}")
    turn = _turn(options.address, "")
    actor = Actor(f"w{number}", chance, journal, Wire(turn.split()[0]))
    try:
        while not failures:
            try:
                _settle(actor)
                ACTIONS[chance.choice(options.actions)](actor)
            except LostError:
                turn = _turn(options.address, turn)
                if turn == STOP:
                    return
                actor.wire.close()
                actor.wire = Wire(turn.split()[0])
    except BaseException as error:
        failures.append(error)
        if actor.doing is not None and isinstance(error, RefusedError):
            journal.refused(actor.doing, str(error))
        raise


def _settle(actor: Actor) -> None:
    """Finds out what became of a request that was not answered, if there is one."""
    if actor.doing is not None:
        state, want = look_up(actor.wire, actor.doing.key), actor.doing.want
        if state is not None and want is not None:
            state = {**want, **state}
        actor.journal.settled(actor.doing, state)
        actor.states[actor.doing.key] = state
        actor.doing = None


def _turn(path: Path, other_than: str) -> str:
    """The URL and the number of its server once there is a new one, or the word to stop."""
    while True:
        text = path.read_text(encoding="utf-8").strip()
        if text not in ("", other_than):
            return text
        time.sleep(POLL_SECONDS)


if __name__ == "__main__":
    sys.exit(main())
