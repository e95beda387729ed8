"""`ops emulator start|stop|status|reset`."""

from __future__ import annotations

from ops.cli.call import Call, Outcome, command, commands
from ops.cloud import emulator

app = commands("Start, stop, look at or empty the local Google Cloud.")


@command(app, "emulator start")
def start(call: Call) -> Outcome:
    """Start the local Google Cloud, or find the one that runs."""
    server = emulator.ensure(call.settings.emulator_data, call.settings.emulator_port)
    return Outcome(_json(server), f"Runs at {server.url}; its data is in {server.data}")


def _json(server: emulator.Server | None) -> dict[str, object]:
    if server is None:
        return {"running": False}
    return {
        "running": True,
        "url": server.url,
        "pid": server.pid,
        "version": server.version,
        "data": str(server.data),
    }
