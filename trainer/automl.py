"""Trains an image classifier and decides everything itself: the engine behind the local AutoML.

`python -m trainer.automl` finds its job in Vertex's variables (`AIP_TRAINING_DATA_URI`, …) and in
`task.json` beside the rows, and leaves the model, its evaluation and `outcome.json`.
"""

from __future__ import annotations

import os
import sys
import threading
import time
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from trainer.config import Config, read_config
from trainer.deadline import ALLOWED, Deadline
from trainer.errors import FIND_ALL, PhotoError, TrainerError
from trainer.journal import Journal


def main(environ: Mapping[str, str] = os.environ) -> int:
    """0 when a model was left; 1 after one sentence on why not."""
    started, journal = time.monotonic(), Journal()
    # TensorFlow's import runs beside the reading of photos: readers must get their turn quickly.
    sys.setswitchinterval(0.0005)
    try:
        run(read_config(environ), journal, started)
    except PhotoError as error:
        journal.say(f"{error}. {FIND_ALL}", "ERROR")
        return 1
    except TrainerError as error:
        journal.say(str(error), "ERROR")
        return 1
    except MemoryError:
        journal.say("The machine ran out of memory. Use fewer or smaller photos.", "ERROR")
        return 1
    except OSError as error:
        journal.say(f"A file could not be read or written: {error}", "ERROR")
        return 1
    return 0


def run(
    config: Config, journal: Journal, started: float | None = None, allowed: float = ALLOWED
) -> None:
    """Reads, chooses, exports, evaluates. Raises TrainerError when no model can be made.

    The budget counts from `started`, on the monotonic clock; from now without it. After `allowed`
    times the budget, less what the end of the job takes, nothing more is trained.
    """
    from trainer import contest, multi_label, tuned
    from trainer.artifacts import write_json
    from trainer.assignment import assign, evaluated
    from trainer.data.survey import check_files
    from trainer.finish import finish

    started = time.monotonic() if started is None else started
    photos = _read(config, journal)
    deadline = Deadline(started, config.task.max_seconds, allowed=allowed)
    job = assign(photos, config.task, journal, deadline)
    test = evaluated(photos.test, job.work.test, journal)
    used = replace(photos, training=tuple(job.training), test=test)
    check_files([*used.training, *job.judges, *used.test], journal)
    reader = tuned.reader(job.work.recipe)
    # Not before there is a reader: an import holds the interpreter, and one core would be idle.
    _import_tensorflow_meanwhile()
    choose = multi_label.choose if config.task.multi_label else contest.choose
    choice = choose(job, reader)
    seed, sample = config.task.seed, job.work.sample
    card = finish(config.model_folder, used, choice, journal, seed, sample=sample)
    seconds = time.monotonic() - started
    outcome = {
        "stopReason": choice.stop_reason,
        "seconds": round(seconds, 2),
        "nodeHours": _node_hours(config, seconds),
    }
    write_json(config.outcome_file, outcome)
    journal.say(
        f"Done in {seconds:.1f} s: {card['chosen']}, accuracy {card['metrics']['accuracy']:.4f}.",
        phase="evaluate",
        fraction=1.0,
        accuracy=card["metrics"]["accuracy"],
        stopReason=choice.stop_reason,
    )


def _node_hours(config: Config, seconds: float) -> float:
    """Node hours used, never more than the budget, on the scale that the task itself states."""
    share = min(seconds / config.task.max_seconds, 1.0)
    return round(share * config.task.budget_node_hours, 3)


def _read(config: Config, journal: Journal) -> Any:
    from trainer.data.manifest import read_photos
    from trainer.data.survey import tell

    task = config.task
    photos = read_photos(config.data_files, config.mount, task.labels, task.multi_label)
    tell(photos, journal)
    return photos


def _import_tensorflow_meanwhile() -> None:
    """Starts TensorFlow's import beside the reading of photos; whoever needs it waits for it."""
    from trainer.imports import tensorflow

    threading.Thread(target=tensorflow, daemon=True).start()


if __name__ == "__main__":
    code = main()
    sys.stdout.flush()
    # Without taking TensorFlow down piece by piece, which takes a second or more.
    os._exit(code)
