"""What `ops train --mode custom` refuses before any call; how its limits follow from its cap."""

from pathlib import Path
from typing import Any

import pytest

from ops import settings
from ops.errors import Code, OpsError
from ops.pricing.machines import machine
from ops.workflows import train, train_failures, train_limits
from ops.workflows.train_options import CustomOptions, Options


def at(region: str = "us-central1") -> settings.Settings:
    """Settings of the local target in a region."""
    return settings.read({"region": region}, {}, Path("/nonexistent"))


def custom(model_type: str = "cnn", **more: Any) -> Options:
    """Options of a custom training; those of the trainer by `flags`."""
    ours = {key: more.pop(key) for key in ("max_cost_usd", "budget_node_hours") if key in more}
    return Options("custom", custom=CustomOptions(model_type, **more), **ours)


@pytest.mark.parametrize(
    ("options", "code", "message", "hint"),
    [
        (
            custom("cnm"),
            Code.USAGE,
            "There is no model type 'cnm'; there are linear, dnn, dnn_dropout, cnn, "
            "cnn_batch_norm, transfer.",
            "Type --model-type cnn",
        ),
        (
            custom(flags={"epochs": "many"}),
            Code.USAGE,
            "--epochs takes a whole number from 1 to 1000. Received: many.",
            "Leave --epochs out: it is chosen by the number of training photos.",
        ),
        (
            custom(flags={"learning-rate": "nan"}),
            Code.USAGE,
            "--learning-rate takes a number from 1e-07 to 1. Received: nan.",
            "Leave --learning-rate out: it is chosen by model type and optimizer.",
        ),
        (
            custom(flags={"learning-rate": "5"}),
            Code.USAGE,
            "--learning-rate takes a number from 1e-07 to 1. Received: 5.",
            "Leave --learning-rate out: it is chosen by model type and optimizer.",
        ),
        (
            custom(flags={"image-size": "1024"}),
            Code.USAGE,
            "--image-size takes a whole number from 8 to 640. Received: 1024.",
            "Type --image-size 640",
        ),
        (
            custom(flags={"kernel-size": "big"}),
            Code.USAGE,
            "--kernel-size takes a whole number from 1 to 11. Received: big.",
            "Type --kernel-size 3",
        ),
        (
            custom("dnn", flags={"hidden-units": "64,"}),
            Code.USAGE,
            "--hidden-units takes 1 to 8 whole numbers from 1 to 4096 with commas. Received: 64,.",
            "Leave --hidden-units out: it is chosen by the model type.",
        ),
        (
            custom(flags={"optimizer": "adaw"}),
            Code.USAGE,
            "--optimizer takes adam, adamw, sgd, rmsprop. Received: adaw.",
            "Type --optimizer adamw",
        ),
        (
            custom("linear", flags={"filters": "8"}),
            Code.USAGE,
            "--filters is for cnn, cnn_batch_norm. Received: --model-type linear.",
            "Leave --filters out, or type --model-type cnn",
        ),
        (
            custom(budget_node_hours=8.0),
            Code.USAGE,
            "--budget-node-hours is for --mode automl. Received: --mode custom.",
            "Type --max-cost or --max-minutes in its place.",
        ),
        (
            Options("automl", custom=CustomOptions("cnn", {"epochs": "3"}, spot=True)),
            Code.USAGE,
            "--model-type, --spot, --epochs are for --mode custom. Received: --mode automl.",
            "Add --mode custom, or leave them out.",
        ),
        (
            Options("automl", custom=CustomOptions(flags={"epochs": "3"})),
            Code.USAGE,
            "--epochs is for --mode custom. Received: --mode automl.",
            "Add --mode custom --model-type cnn, or leave it out.",
        ),
        (
            Options("custm"),
            Code.USAGE,
            "--mode is automl or custom. Received: custm.",
            "Type: ops train --mode custom",
        ),
        (
            custom(machine="n1-standard-3"),
            Code.UNKNOWN_PRICE,
            "The price of machine 'n1-standard-3' is not known, and is not guessed "
            "(known: n1-standard-4, n1-standard-8, g2-standard-4, g2-standard-8).",
            "",
        ),
        (
            custom(max_cost_usd=0.001),
            Code.OVER_CAP,
            "A cap of $0.001 buys 16 s at $0.2185 an hour; a training needs at least 120 s.",
            "Type --max-cost 0.01 or more",
        ),
        (
            custom(max_cost_usd=0.0001),
            Code.OVER_CAP,
            "A cap of $0.0001 buys 1 s at $0.2185 an hour; a training needs at least 120 s.",
            "Type --max-cost 0.01 or more",
        ),
        (
            custom(max_cost_usd=float("nan")),
            Code.USAGE,
            "--max-cost is an amount in dollars. Received: nan.",
            "Type --max-cost 1",
        ),
        (
            custom(max_minutes=1.0),
            Code.USAGE,
            "--max-minutes is from 2 to 10080 (a week). Received: 1.",
            "Type --max-minutes 60",
        ),
        (
            custom(local=True, spot=True, max_cost_usd=1.0),
            Code.USAGE,
            "--spot, --max-cost are for a training on Vertex AI. Received: --local, which trains "
            "on this machine.",
            "Leave it out; --max-seconds ends a training on this machine.",
        ),
        (
            custom(to=Path("model")),
            Code.USAGE,
            "--to is for --local: a training on Vertex AI leaves its model in the bucket.",
            "Leave --to out, or type --local",
        ),
    ],
)
def test_a_custom_training_is_refused(
    options: Options, code: Code, message: str, hint: str
) -> None:
    """Each refusal says what was received and what to type."""
    with pytest.raises(OpsError) as refused:
        train.check(at(), options)

    assert (refused.value.code, refused.value.message) == (code, message)
    assert refused.value.hint == hint or not hint


def test_a_region_without_a_price_is_refused() -> None:
    """The price of a machine is known in one region only."""
    with pytest.raises(OpsError) as refused:
        train.check(at("europe-west4"), custom())

    assert refused.value.code is Code.UNKNOWN_PRICE


@pytest.mark.parametrize(
    ("options", "timeout_seconds", "max_seconds"),
    [
        (custom(), 3600, 2880),
        (custom(max_cost_usd=0.10), 1647, 1318),
        (custom(max_cost_usd=0.01), 164, 104),
        (custom(max_minutes=5.0), 300, 240),
        (custom(max_minutes=600.0), 36000, 35100),
        (custom(flags={"max-seconds": "100"}), 160, 100),
        (custom(flags={"max-seconds": "1000"}, max_minutes=5.0), 300, 240),
        (custom(max_cost_usd=100000.0), 3600, 2880),
    ],
)
def test_caps_become_seconds_once(options: Options, timeout_seconds: int, max_seconds: int) -> None:
    """The job's own time-out, and a softer one for the trainer, who still evaluates and exports."""
    limits = train_limits.of(options, machine("n1-standard-4"), "us-central1")

    assert (limits.timeout_seconds, limits.max_seconds) == (timeout_seconds, max_seconds)


def test_the_price_is_that_of_the_whole_time_out() -> None:
    """What is shown before is what the job is ended at."""
    assert train.check(at(), custom()).usd == pytest.approx(0.21849885)
    assert train.check(at(), custom(max_cost_usd=0.10)).usd <= 0.10


@pytest.mark.parametrize(
    ("said", "code", "words"),
    [
        (
            "The following quota metrics exceed quota limits: "
            "aiplatform.googleapis.com/custom_model_training_nvidia_t4_gpus",
            Code.QUOTA,
            "more quota",
        ),
        ("Resources are insufficient in region: us-central1. STOCKOUT", Code.QUOTA, "later"),
        ("Failed to pull the image x/y: it is not known here.", Code.JOB_FAILED, "--image"),
        ("ran out-of-memory and exited with status of 137.", Code.JOB_FAILED, "--batch-size"),
        ("The job ran longer than its scheduling.timeout.", Code.JOB_FAILED, "--max-minutes"),
        ("No photo is a circle.", Code.JOB_FAILED, "change what is named here"),
        ("exit code 1. The exported graph gives the same label on", Code.JOB_FAILED, "--seed"),
        ("Internal error encountered.", Code.JOB_FAILED, "same command again"),
        ("exit code -9. ", Code.JOB_FAILED, "If memory was short"),
        ("exit code -15. ", Code.JOB_FAILED, "same command again"),
        ("", Code.JOB_FAILED, "same command again"),
    ],
)
def test_what_to_type_follows_from_what_was_said(said: str, code: Code, words: str) -> None:
    """Quota, stock-out, image, memory and time each have a hint of their own."""
    found, hint = train_failures.reason(said)

    assert found is code
    assert words in hint


def test_the_last_error_of_a_log_is_its_reason() -> None:
    """Among the last lines of a trainer, the one that says ERROR, else the last one."""
    lines = ('{"severity": "ERROR", "message": "No photo."}', "I0000 port.cc: on", "")

    assert train_failures.last_words(lines) == "No photo."
    assert train_failures.last_words(lines[1:]) == "I0000 port.cc: on"
