"""`ops logs` and `ops tensorboard` as typed, on a local cloud whose trainer talks."""

import json
import re
import shlex
import sys
from collections.abc import Iterator
from typing import Any
from urllib.request import urlopen

import pytest

from tests.local_cloud import ROOT, running_cloud, wait_until
from tests.ops.life import TASK, Life, ended, interrupted, until_said, write_photos

TRAIN = ("train", "--mode", "custom", "--model-type", "cnn", "--max-cost", "1")


@pytest.fixture(scope="module")
def life(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Life]:
    """A user with photos imported; the trainer of custom jobs talks and draws."""
    folder = tmp_path_factory.mktemp("logs")
    home = folder / "home"
    write_photos(home / "photos")
    python = f"env PYTHONPATH={shlex.quote(str(ROOT))} {shlex.quote(sys.executable)} -m"
    gate = shlex.quote(str(home / "gate"))
    engines = [
        f"train:*/trainer={python} tests.ops.talking_engine train {gate}",
        f"train:{TASK}={python} tests.ops.tiny_engine train {gate}",
    ]
    options = [word for engine in engines for word in ("--engine", engine)]
    with running_cloud(folder / "cloud", *options) as cloud:
        found = Life(cloud, home, cloud.data)
        found.gate.touch()
        found.result("import-dataset", "photos")
        yield found


@pytest.fixture(scope="module")
def run(life: Life) -> str:
    """The id of a custom training that has ended."""
    return str(life.result(*TRAIN)["run"])


def begin(life: Life, *words: str) -> str:
    """The id of a custom training that waits at the gate."""
    life.gate.unlink()
    return str(life.result(*TRAIN, "--again", "--no-wait", *words)["run"])


def messages(result: dict[str, Any]) -> list[tuple[str, str]]:
    """Severity and message of what the trainer itself said."""
    return [
        (one["severity"], one["message"])
        for one in result["entries"]
        if one["source"] == "workerpool0-0"
    ]


def test_the_log_of_a_training_is_printed_by_time(life: Life, run: str) -> None:
    """Time, severity and message; Vertex AI's own lines are marked."""
    ran = life.run("logs", run)

    lines = ran.out.splitlines()
    assert ran.code == 0
    assert re.fullmatch(r"\d\d:\d\d:\d\d INFO     \[service\] Waiting for job to .*", lines[0])
    assert any(re.fullmatch(r"[\d:]{8} INFO     plain words", line) for line in lines)
    assert any(line.endswith("INFO     reading") for line in lines)
    assert any(line.endswith("WARNING  slow") for line in lines)
    assert lines[-1].endswith("[service] Job completed successfully.")


def test_severity_narrows_the_log_and_json_has_every_field(life: Life, run: str) -> None:
    """`--severity warning` shows warnings and errors."""
    result = life.result("logs", run, "--severity", "warning")

    assert sorted(messages(result)) == [("ERROR", "a complaint"), ("WARNING", "slow")]
    assert {"epoch": 1} in [one["fields"] for one in result["entries"]]
    assert result["run"] == run and "/trainingPipelines/" in result["pipeline"]


def test_a_log_is_followed_to_the_end_of_the_training(life: Life) -> None:
    """What was said is shown at once, what is said later when it is said, each once."""
    waiting = begin(life)
    following = life.begin("logs", waiting, "--follow")
    assert following.stdout is not None
    said = [following.stdout.readline() for _ in range(5)]
    assert any("reading" in line for line in said)

    life.gate.touch()

    ran = ended(following)
    lines = [*"".join(said).splitlines(), *ran.out.splitlines()]
    assert ran.code == 0
    assert [line for line in lines if "slow" in line or "reading" in line] == [
        line for line in dict.fromkeys(lines) if "slow" in line or "reading" in line
    ]
    assert lines[-1].endswith("Job completed successfully.")


def test_following_can_be_interrupted(life: Life) -> None:
    """Ctrl-C says that the training goes on."""
    waiting = begin(life)
    following = life.begin("logs", waiting, "--follow")
    assert following.stdout is not None
    following.stdout.readline()

    ran = interrupted(following)

    life.gate.touch()
    assert ran.code == 130
    assert f"The training {waiting} goes on." in ran.err


def test_what_has_no_log_says_so_and_where_to_look(life: Life, run: str) -> None:
    """A misspelt run, an import, a severity that is none."""
    imported = next(r for r in life.result("runs")["runs"] if r["kind"] == "import")["run"]

    misspelt = life.run("logs", run[:-3])
    no_training = life.run("logs", imported)
    loud = life.run("logs", run, "--severity", "warnung")

    assert (misspelt.code, no_training.code, loud.code) == (4, 4, 2)
    assert "Did you mean: " in misspelt.err and run in misspelt.err
    assert "is no training: only trainings keep a log" in no_training.err
    assert "Did you mean: warning?" in loud.err


def test_automl_keeps_no_log_and_no_curves(life: Life) -> None:
    """As on Google; the user is told what there is instead."""
    automl = life.result("train", "--mode", "automl", "--no-wait")["run"]

    log, curves = life.run("logs", automl), life.run("tensorboard", automl)

    assert (log.code, curves.code) == (4, 4)
    assert "Google's AutoML keeps no log." in log.err
    assert f"ops evaluate --run {automl}" in log.err
    assert "Google's AutoML keeps no curves." in curves.err


def test_the_curves_are_a_table(life: Life, run: str) -> None:
    """First, best and last of each; the best loss is the least."""
    ran = life.run("tensorboard", run, "--text")

    rows = [line.split() for line in ran.out.splitlines()]
    assert rows[0] == ["curve", "part", "steps", "first", "best", "last"]
    assert rows[1] == ["epoch_loss", "train", "4", "2", "0.333", "0.333"]
    assert rows[2] == ["epoch_accuracy", "validation", "3", "0.25", "0.75", "0.75"]


def test_the_files_are_fetched_once(life: Life, run: str) -> None:
    """`--no-serve` says where they are; a second time nothing is new; --json has every point."""
    first = life.run("tensorboard", run, "--no-serve")
    second = life.run("tensorboard", run, "--no-serve")

    (loss, accuracy) = life.result("tensorboard", run)["curves"]
    assert first.code == 0 and second.out.strip().endswith(": 0 files are new.")
    assert accuracy["points"] == [[1, 0.25], [2, 0.5], [3, 0.75]]
    assert loss["part"] == "train"
    folder = life.home / "state" / "default" / "tensorboard" / run
    assert (folder / "train" / "events.out.tfevents.1").is_file()


def test_tensorboard_shows_a_training_that_runs(life: Life) -> None:
    """Its address answers with the curves so far; later points come by themselves."""
    waiting = begin(life)
    wait_until(lambda: bool(life.result("tensorboard", waiting)["curves"]))
    serving = life.begin("tensorboard", waiting)
    found = re.search(r"http://127\.0\.0\.1:\d+/", until_said(serving, "http://"))
    assert found is not None

    def points() -> int:
        path = "data/plugin/scalars/scalars?tag=epoch_loss&run=train&format=json"
        try:
            with urlopen(found.group() + path) as answer:
                return len(json.load(answer))
        except OSError:
            return 0

    wait_until(lambda: points() == 1)
    life.gate.touch()
    wait_until(lambda: points() == 4)

    ran = interrupted(serving)
    assert ran.code == 0
    assert "TensorBoard has ended; the files stay." in ran.err


def test_a_port_that_is_taken_is_refused(life: Life, run: str) -> None:
    """Before anything is started on it."""
    port = life.cloud.url.rsplit(":", 1)[1]

    ran = life.run("tensorboard", run, "--port", port)

    assert ran.code == 6
    assert f"Port {port} is in use." in ran.err
