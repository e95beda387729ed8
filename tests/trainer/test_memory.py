"""`trainer.memory`: what does not fit is refused before it begins, with a number that does fit."""

import json
import re
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest

from tests.trainer.conftest import Rows
from tests.trainer.custom import few, write_manifest
from trainer.errors import TrainingError
from trainer.flags import parse, read_table, settled
from trainer.hyper import Hyper, settle
from trainer.memory import GIB, check, fitting_batch, free_bytes, needed_bytes

ROOT = Path(__file__).parents[2]
# Twice in one process that may have so much: as asked, and with the batch that the refusal names.
LIMITED = """
import contextlib, io, json, re, resource, sys
from trainer.imports import tensorflow
from trainer.task import main
tensorflow()
pages = int(open("/proc/self/statm").read().split()[0])
limit = pages * resource.getpagesize() + 3 * 2**30
resource.setrlimit(resource.RLIMIT_AS, (limit, limit))
*arguments, model = sys.argv[1:]
def run(batch):
    said = io.StringIO()
    with contextlib.redirect_stdout(said):
        code = main([*arguments, f"--batch-size={batch}"], {"AIP_MODEL_DIR": model})
    return code, json.loads(said.getvalue().splitlines()[-1])["message"]
refused = run(4096)
batch = re.search(r"--batch-size (\\d+)", refused[1])[1]
print(json.dumps([*refused, int(batch), *run(batch)]))
"""


def hyper_of(*arguments: str) -> Hyper:
    """The hyper-parameters of flags for a hundred photos of 28 pixels."""
    table = read_table()
    return settle(settled(parse(arguments, table), table), 100, [28])


def test_the_batch_that_is_named_fits_and_its_double_does_not() -> None:
    """Of 4096 photos at 256 pixels, in 4 GiB: half, a quarter … until the estimate fits."""
    hyper = hyper_of("--model-type=cnn", "--image-size=256", "--batch-size=4096")

    with pytest.raises(TrainingError) as error:
        check(hyper, 100, 10, 4 * GIB)
    found = re.search(r"A batch of (\d+) fits: give --batch-size \1\.$", str(error.value))

    assert found is not None
    batch = int(found[1])
    assert needed_bytes(replace(hyper, batch_size=batch), 100, 10) <= 4 * GIB
    assert needed_bytes(replace(hyper, batch_size=2 * batch), 100, 10) > 4 * GIB
    check(replace(hyper, batch_size=batch), 100, 10, 4 * GIB)


def test_where_no_batch_fits_a_size_or_a_way_out_is_named() -> None:
    """A layer too large at any batch wants a smaller image; too many photos want a machine."""
    large = hyper_of("--model-type=dnn", "--image-size=512", "--hidden-units=4096")

    with pytest.raises(TrainingError, match=r"No batch fits at 512 pixels: give --image-size 64\."):
        check(large, 100, 10, 2 * GIB)
    with pytest.raises(TrainingError, match="train on fewer photos, or take a larger machine"):
        check(hyper_of("--model-type=linear"), 10**9, 10, GIB)


def test_what_nobody_knows_stops_nobody() -> None:
    """Without a number for what is free, a training begins; here there is one."""
    check(hyper_of("--model-type=cnn"), 10**9, 10, None)

    free = free_bytes()
    assert free is not None
    assert 0 < free < 2**50


def test_halves_are_tried_until_one_works() -> None:
    """The first that has memory; nought if none has; other errors come through."""

    def up_to(most: int, batch: int) -> None:
        if batch > most:
            raise MemoryError

    assert fitting_batch(lambda batch: up_to(9, batch), 64) == 8
    assert fitting_batch(lambda batch: up_to(0, batch), 64) == 0
    with pytest.raises(ZeroDivisionError):
        fitting_batch(lambda batch: print(1 // (batch - 2)), 4)


def test_a_process_with_little_memory_trains_with_the_batch_it_is_told(
    digit_rows: Rows, tmp_path: Path
) -> None:
    """Three GiB for a batch of 4096 are refused; the batch in the refusal trains and exports."""
    manifest = write_manifest(tmp_path, few(digit_rows, per_split=4))
    arguments = ["--model-type=cnn", "--image-size=128", "--epochs=1", "--augment=affine"]

    done = subprocess.run(
        [sys.executable, "-c", LIMITED, f"--manifest={manifest}", *arguments, str(tmp_path / "m")],
        cwd=ROOT,
        capture_output=True,
        text=True,
    )

    assert done.returncode == 0, done.stderr[-2000:]
    code, said, batch, second, end = json.loads(done.stdout)
    assert (code, said.startswith("Training needs about ")) == (1, True)
    assert 8 <= batch <= 512
    assert (second, end.startswith("Done in ")) == (0, True), end
