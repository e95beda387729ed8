"""The module that a custom training starts: arguments → Config → train → evaluate → export.

`python -m trainer.task --manifest … --model-type …` leaves in `AIP_MODEL_DIR` what the engine
contract says, its curves in `AIP_TENSORBOARD_LOG_DIR`, and checkpoints in `AIP_CHECKPOINT_DIR`, of
which a restart goes on from the last whole one.
"""

from __future__ import annotations

import os
import sys
import threading
import time
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from trainer.errors import FIND_ALL, PhotoError, TrainerError, UsageError
from trainer.flags import HELP, MODEL_TYPE, explained, read_table
from trainer.job import Job, read_job
from trainer.journal import Journal

if TYPE_CHECKING:
    from trainer.data.dataset import Dataset

FAILED, USAGE = 1, 2
OUT_OF_MEMORY = (
    "The machine ran out of memory. Give a smaller --batch-size or --image-size, train on fewer "
    "photos, or take a larger machine."
)


def main(arguments: Sequence[str], environ: Mapping[str, str] = os.environ) -> int:
    """0 when a model was left; 2 after a sentence on a flag, 1 after one on anything else."""
    if any(word in HELP for word in arguments):
        print(explained(read_table()))
        return 0
    journal = Journal()
    try:
        run(read_job(arguments, environ), journal)
    except UsageError as error:
        journal.say(f"{error} See --help.", "ERROR")
        return USAGE
    except PhotoError as error:
        journal.say(f"{error}. {FIND_ALL}", "ERROR")
        return FAILED
    except TrainerError as error:
        journal.say(str(error), "ERROR")
        return FAILED
    except OSError as error:
        journal.say(f"A file could not be read or written: {error}", "ERROR")
        return FAILED
    except Exception as error:
        from trainer.memory import out_of_memory

        if not out_of_memory(error):
            raise
        journal.say(OUT_OF_MEMORY, "ERROR")
        return FAILED
    return 0


def run(job: Job, journal: Journal) -> None:
    """Reads, trains, exports, evaluates. Raises TrainerError when no model can be made."""
    started = time.monotonic()
    dataset = _read(job, journal)
    # TensorFlow's import takes seconds and runs beside the reading of photos.
    threading.Thread(target=_import_tensorflow, daemon=True).start()
    from trainer.artifacts import write_json
    from trainer.finish import finish
    from trainer.teach import teach

    taught = teach(job, dataset, journal)
    more = {"engine": "trainer.task", "dataset": dataset.digest, **taught.told}
    seed = job.flag("seed")
    photos, names, int8 = dataset.photos, dataset.own_names, job.flag("int8") == "yes"
    card = finish(job.model_folder, photos, taught.choice, journal, seed, names, more, int8)
    seconds = time.monotonic() - started
    reason, accuracy = taught.choice.stop_reason, card["metrics"]["accuracy"]
    outcome = {
        "stopReason": reason,
        "seconds": round(seconds, 2),
        "nodeHours": round(seconds / 3600, 4),
    }
    write_json(job.outcome_file, outcome)
    journal.say(
        f"Done in {seconds:.1f} s: {job.flag(MODEL_TYPE)}, accuracy {accuracy:.4f}.",
        phase="evaluate",
        fraction=1.0,
        accuracy=accuracy,
        stopReason=reason,
    )


def _read(job: Job, journal: Journal) -> Dataset:
    from trainer.data.dataset import exported_dataset
    from trainer.data.source import read_source
    from trainer.data.survey import check_files, tell

    several = job.flag("multi-label")
    if job.manifest is not None:
        dataset = read_source(job.manifest, job.mount, several)
    else:
        dataset = exported_dataset(job.data_files, job.mount, several)
    photos = dataset.photos
    tell(photos, journal, ", several a photo" if dataset.multi_label else "")
    for remark in dataset.remarks:
        journal.say(remark, "WARNING")
    check_files([*photos.training, *photos.validation, *photos.test], journal, job.manifest)
    return dataset


def _import_tensorflow() -> None:
    from trainer.imports import tensorflow

    tensorflow()


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
