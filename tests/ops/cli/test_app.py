"""The command line's frame: lazy, documented, completed by the shell, one envelope."""

import json
import socket
import subprocess
import sys
from pathlib import Path

import pytest
from typer.testing import CliRunner

from ops.cli import app as program
from tests.local_cloud import clean_environment

LOADED = """
import sys
sys.argv = ["ops", *sys.argv[1:]]
from ops.cli.app import main
try:
    main()
except SystemExit:
    pass
real = {name.split(".")[0] for name, m in sys.modules.items() if getattr(m, "__file__", None)}
print("LOADED", *sorted(real & {"google", "tensorflow", "keras", "numpy", "PIL", "requests"}))
"""


def ops(*arguments: str, folder: Path, **variables: str) -> subprocess.CompletedProcess[str]:
    """`ops` as a process in this folder."""
    return subprocess.run(
        [Path(sys.executable).with_name("ops"), *arguments],
        cwd=folder,
        env=clean_environment(**variables),
        capture_output=True,
        text=True,
        check=False,
    )


@pytest.mark.parametrize(
    "arguments", [["--help"], ["--version"], ["train", "--help"], ["emulator", "--help"], ["frob"]]
)
def test_what_needs_no_cloud_loads_no_cloud(arguments: list[str], tmp_path: Path) -> None:
    """Help, version and a wrong name load no Google module, no TensorFlow and no imaging."""
    done = subprocess.run(
        [sys.executable, "-c", LOADED, *arguments],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=True,
    )

    assert done.stdout.splitlines()[-1] == "LOADED"


@pytest.mark.parametrize("name", program.COMMANDS)
def test_the_help_line_is_the_command_s_own(name: str) -> None:
    """What `ops --help` says without loading a command is what the command says of itself."""
    loaded = program.load(name)

    assert loaded.name == name
    assert loaded.get_short_help_str(200) == program.COMMANDS[name]


@pytest.mark.parametrize("name", program.COMMANDS)
def test_every_command_has_the_shared_options(name: str) -> None:
    """Target, project, stack, region and --json are the same everywhere."""
    loaded = program.load(name)

    for command in getattr(loaded, "commands", {"": loaded}).values():
        options = {option for one in command.params for option in one.opts}
        assert {"--target", "--project", "--stack", "--region", "--json"} <= options


def test_the_shell_completes_names_and_options(tmp_path: Path) -> None:
    """Completion offers commands, and the options of the command that was typed."""
    asked = {"_OPS_COMPLETE": "complete_bash", "COMP_CWORD": "1"}
    names = ops(folder=tmp_path, COMP_WORDS="ops un", **asked)
    flags = ops(
        folder=tmp_path,
        COMP_WORDS="ops status --js",
        **{**asked, "COMP_CWORD": "2"},
    )

    assert names.stdout.split() == ["undeploy"]
    assert flags.stdout.split() == ["--json"]


def test_a_wrong_name_is_a_usage_error(tmp_path: Path) -> None:
    """The nearest name is suggested, and the exit code is that of wrong usage."""
    done = ops("trian", folder=tmp_path)

    assert done.returncode == 2
    assert "No such command 'trian'. Did you mean 'train'?" in done.stderr


def test_an_error_before_the_settings_are_read_has_an_envelope(tmp_path: Path) -> None:
    """With --json even a bad setting ends in one document, on standard output alone."""
    done = ops("runs", "--target", "mars", "--json", folder=tmp_path)

    assert done.returncode == 2
    assert done.stdout == (
        '{\n  "version": 1,\n  "command": "runs",\n  "target": null,\n  "project": null,\n'
        '  "stack": null,\n  "error": {\n    "code": "settings",\n'
        '    "message": "The target is \'mars\' (from --target); it can be local or gcp.",\n'
        '    "hint": "Type --target local or --target gcp."\n  }\n}\n'
    )
    assert done.stderr == (
        "Error: The target is 'mars' (from --target); it can be local or gcp.\n"
        "Type --target local or --target gcp.\n"
    )


def test_an_unknown_region_is_refused_by_every_command(tmp_path: Path) -> None:
    """The region is checked before anything starts."""
    done = ops("status", "--region", "us-centrall", folder=tmp_path)

    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr == (
        "Error: 'us-centrall' is not a region of Vertex AI.\n"
        "Type --region with one like us-central1, me-central2, me-central1.\n"
    )


def test_gcp_is_refused_while_a_variable_leads_elsewhere(tmp_path: Path) -> None:
    """A forgotten emulator variable never mixes two clouds."""
    done = ops(
        *("runs", "--target", "gcp", "--project", "my-project"),
        folder=tmp_path,
        STORAGE_EMULATOR_HOST="http://127.0.0.1:1",
    )

    assert done.returncode == 2
    assert done.stderr == (
        "target gcp (--target), project my-project (--project), stack default (default)\n"
        "Error: The target is gcp, but STORAGE_EMULATOR_HOST=http://127.0.0.1:1 sends calls "
        "elsewhere.\n"
        "Type: unset STORAGE_EMULATOR_HOST\n"
    )


def test_no_arguments_show_the_help() -> None:
    """`ops` alone says what there is."""
    shown = CliRunner().invoke(program.app, [])

    assert "import-dataset" in shown.output


@pytest.mark.parametrize(
    ("words", "command", "message", "hint"),
    [
        (["runs", "--frob"], "runs", "No such option: --frob", "Type: ops runs --help"),
        (["frob"], "", "No such command 'frob'.", "Type: ops --help"),
        (
            ["import-dataset"],
            "import-dataset",
            "Missing argument 'source'.",
            "Type: ops import-dataset --help",
        ),
        (
            ["emulator", "stop", "--frob"],
            "emulator stop",
            "No such option: --frob",
            "Type: ops emulator stop --help",
        ),
    ],
)
def test_a_mistyped_command_line_has_the_envelope_too(
    words: list[str], command: str, message: str, hint: str, tmp_path: Path
) -> None:
    """With --json, what Typer refuses is one document, and the exit code is still 2."""
    done = ops(*words, "--json", folder=tmp_path)

    said = json.loads(done.stdout)
    assert said["error"] == {"code": "usage", "message": message, "hint": hint}
    assert said["command"] == command
    assert done.returncode == 2


@pytest.mark.parametrize("as_json", [[], ["--json"]])
def test_a_failed_check_is_an_error_beside_what_was_found(
    as_json: list[str], tmp_path: Path
) -> None:
    """`ops doctor` shows every check, and the failed one as the error that its exit code is."""
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        port = str(other.getsockname()[1])
        done = ops(
            "doctor",
            *as_json,
            folder=tmp_path,
            OPS_EMULATOR_PORT=port,
            OPS_EMULATOR_DATA=str(tmp_path / "data"),
        )

    message = (
        f"1 of 9 checks failed. Local cloud: not running, and port {port} is in use by another "
        "program."
    )
    hint = "Set OPS_EMULATOR_PORT to another port, or to 0 for any free one."
    assert done.returncode == 1
    assert done.stderr.endswith(f"Error: {message}\n{hint}\n")
    if as_json:
        said = json.loads(done.stdout)
        assert said["error"] == {"code": "check-failed", "message": message, "hint": hint}
        assert len(said["result"]["checks"]) == 9
    else:
        assert done.stdout.count("\n") == 10
