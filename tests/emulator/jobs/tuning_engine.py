"""A container for tests of tuning: reports through `hypertune`, as its arguments say.

`--report=EXPRESSION` (once or often: one report each, at steps 1, 2, …) is Python over the trial's
own parameters, for example `rate*units`; `--metric=NAME` names the metric of the reports that
follow; `--wait=NAME` waits until there is such a file in the jobs' folder, `--hold-if=EXPRESSION`
goes on for ever where it is true, `--fail-if=EXPRESSION` exits with 3. What else is said as
`--name=value` is a parameter. Actions happen in the order of the arguments.
"""

import os
import sys
import time
from pathlib import Path
from typing import Any

from hypertune import HyperTune

ACTIONS = ("report", "metric", "wait", "hold-if", "fail-if")


def main(words: list[str]) -> None:
    """Every action, in order."""
    pairs = [word.removeprefix("--").split("=", 1) for word in words]
    known: dict[str, Any] = {"trial": int(os.environ["CLOUD_ML_TRIAL_ID"])}
    known |= {name: value(text) for name, text in pairs if name not in ACTIONS}
    metric, steps, tuner = "accuracy", 0, HyperTune()
    for name, text in pairs:
        match name:
            case "metric":
                metric, steps = text, 0
            case "report":
                steps += 1
                found = eval(text, {}, known)
                tuner.report_hyperparameter_tuning_metric(metric, found, steps)
                print(f"{metric} is {found}", flush=True)
            case "wait":
                until(Path(os.environ["GCS_MOUNT"]).parent.parent / text)
            case "hold-if" if eval(text, {}, known):
                until(Path("never"))
            case "fail-if" if eval(text, {}, known):
                sys.exit(3)


def value(text: str) -> Any:
    """A parameter as a number, or as the text that it is."""
    try:
        return float(text)
    except ValueError:
        return text


def until(path: Path) -> None:
    """Returns once the file is there."""
    while not path.exists():
        time.sleep(0.02)


if __name__ == "__main__":
    main(sys.argv[1:])
