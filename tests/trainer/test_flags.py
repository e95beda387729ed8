"""`trainer.flags`: one table for what is taken, what is refused, and what help says."""

import subprocess
import sys
from pathlib import Path

import pytest

from trainer.errors import UsageError
from trainer.flags import explained, parse, read_table, settled

ROOT = Path(__file__).parents[2]


def test_flags_are_read_with_and_without_an_equals_sign() -> None:
    """Numbers, lists and words come out as what they are; the last of a repeated flag counts."""
    arguments = [
        "--model-type",
        "cnn",
        "--epochs=3",
        "--filters=8,16",
        "--epochs",
        "4",
        "--l2=1e-4",
    ]

    given = parse(arguments, read_table())

    assert given == {"model-type": "cnn", "epochs": 4, "filters": (8, 16), "l2": 1e-4}


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        ("--model-type=cmn", "There is no model type 'cmn'. Nearest: cnn."),
        ("--model-type=cnn --epoch=3", "There is no flag '--epoch'. Nearest: --epochs"),
        ("--model-type=cnn --batch_size=3", "'--batch_size'. Nearest: --batch-size"),
        ("--model-type=cnn epochs=3", "There is no flag 'epochs'. Nearest: --epochs"),
        ("--model-type=cnn --epochs=0", "--epochs must be a whole number from 1 to 1000."),
        ("--model-type=cnn --epochs=2.5", "from 1 to 1000. Received: '2.5'"),
        (
            "--model-type=cnn --learning-rate=nan",
            "must be a number from 1e-07 to 1. Received: 'nan'",
        ),
        ("--model-type=cnn --filters=8,,9", "1 to 6 whole numbers from 1 to 512, with commas"),
        ("--model-type=cnn --filters=1,2,3,4,5,6,7", "1 to 6 whole numbers"),
        ("--model-type=cnn --optimizer=adm", "There is no --optimizer 'adm'. Nearest: adam"),
        ("--model-type=dnn --filters=8", "--filters is only for cnn, cnn_batch_norm. Received"),
        ("--model-type=cnn --epochs", "--epochs needs a value: a whole number"),
        ("--epochs=3", "--model-type is missing. It takes one of linear, dnn"),
        ("--model-type=cnn --manifest=", "--manifest must be a text that is not empty"),
    ],
)
def test_a_wrong_flag_says_what_is_allowed(arguments: str, sentence: str) -> None:
    """Every refusal names the flag, what it takes, and what was received or is nearest."""
    with pytest.raises(UsageError) as error:
        parse(arguments.split(), read_table())

    assert sentence in str(error.value)


def test_defaults_are_those_of_the_model_type() -> None:
    """A flag of another model type is left out; one that the data decide is None."""
    table = read_table()

    flags = settled(parse(["--model-type=linear", "--seed=7"], table), table)

    assert (flags["seed"], flags["l1"], flags["epochs"]) == (7, 0.0, None)
    assert "filters" not in flags


def test_every_flag_is_explained_and_can_be_given_its_default() -> None:
    """Help names each flag once; each default is a value that the flag takes."""
    table = read_table()
    text = explained(table)

    for name, flag in table.items():
        assert text.count(f"  --{name}  ") == 1
        if flag.default is not None:
            assert flag.value(str(flag.default)) == flag.default
        assert flag.required or flag.default is not None or flag.chosen


@pytest.mark.parametrize(("argument", "code"), [("--help", 0), ("--model-type=cmn", 2)])
def test_help_and_mistakes_load_no_tensorflow(argument: str, code: int) -> None:
    """A process of its own answers with its exit code, and TensorFlow and numpy stay out."""
    program = (
        "import sys; from trainer.task import main; code = main(sys.argv[1:]);"
        "assert not {'tensorflow', 'numpy'} & set(sys.modules); sys.exit(code)"
    )

    done = subprocess.run(
        [sys.executable, "-c", program, argument], cwd=ROOT, capture_output=True, text=True
    )

    assert (done.returncode, done.stderr) == (code, "")
