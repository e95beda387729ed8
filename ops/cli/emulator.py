"""`ops emulator start|stop|status|reset`."""

from __future__ import annotations

from pathlib import Path
from shlex import quote

from ops.cli.call import Call, Outcome, command, commands
from ops.cloud import emulator

app = commands(
    "Start, stop, look at or empty the local Google Cloud. Its data lie in the folder that "
    "OPS_EMULATOR_DATA names; it listens on the port OPS_EMULATOR_PORT (any free one if not set)."
)


@command(
    app,
    "emulator start",
    examples=("ops emulator start", "OPS_EMULATOR_PORT=8099 ops emulator start"),
)
def start(call: Call) -> Outcome:
    """Start the local Google Cloud, or find the one that runs.

    Its data lie in OPS_EMULATOR_DATA, its port is OPS_EMULATOR_PORT (any free one if not set).
    """
    server = emulator.ensure(call.settings.emulator_data, call.settings.emulator_port)
    return Outcome(_json(server), _running(server))


@command(app, "emulator stop", examples=("ops emulator stop",))
def stop(call: Call) -> Outcome:
    """Stop the local Google Cloud; what is stored stays, and its jobs go on."""
    data = call.settings.emulator_data
    server, jobs = emulator.stop(data), emulator.going_on(data)
    text = f"Stopped the one at {server.url}." if server else "None was running."
    if jobs:
        text += f"\n{_jobs(jobs)} To end them, with all that is stored: ops emulator reset"
    result = {"running": False, "stopped": server is not None, "jobs_going_on": jobs}
    return Outcome(result, text)


@command(app, "emulator status", examples=("ops emulator status",))
def status(call: Call) -> Outcome:
    """Say whether the local Google Cloud runs, and where."""
    server = emulator.find(call.settings.emulator_data)
    return Outcome(_json(server), _found(server, call.settings.emulator_data))


@command(app, "emulator reset", asks=True, examples=("ops emulator reset --yes",))
def reset(call: Call) -> Outcome:
    """Stop its jobs and delete everything that the local Google Cloud holds."""
    data = call.settings.emulator_data
    call.confirm(f"Delete all stacks and all that is stored in {data}?", "--yes")
    server = emulator.reset(data, call.settings.emulator_port)
    return Outcome(_json(server), f"Empty. {_found(server, data)}")


def _jobs(count: int) -> str:
    if count == 1:
        return "1 training or prediction server goes on."
    return f"{count} trainings and prediction servers go on."


def _found(server: emulator.Server | None, data: Path) -> str:
    return _running(server) if server else f"Not running; its data is in {data}"


def _running(server: emulator.Server) -> str:
    return (
        f"Runs at {server.url}; its data is in {server.data}\n"
        f"For Google's own SDKs and Terraform: set -a; . {quote(str(server.data / 'env'))}; set +a"
    )


def _json(server: emulator.Server | None) -> dict[str, object]:
    if server is None:
        return {"running": False}
    return {
        "running": True,
        "url": server.url,
        "pid": server.pid,
        "version": server.version,
        "data": str(server.data),
        "env": str(server.data / "env"),
    }
