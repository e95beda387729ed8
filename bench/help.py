"""`ops --help` against a bare Typer program, as whole processes in turn."""

import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from bench.table import Figure, show

ROUNDS = 15
BARE_PROGRAM = '''
import typer
app = typer.Typer()

@app.command()
def one(name: str, count: int = 1) -> None:
    """The first command."""

@app.command()
def two(name: str, flag: bool = False) -> None:
    """The second command."""

app()
'''


def seconds(command: list[str]) -> float:
    """Wall time of one run."""
    started = time.perf_counter()
    subprocess.run(command, check=True, capture_output=True)
    return time.perf_counter() - started


def heavy_modules() -> list[str]:
    """Modules of TensorFlow or Google that `ops --help` loads."""
    code = (
        "import sys\nsys.argv=['ops','--help']\n"
        "from ops.cli.app import main\n"
        "try:\n    main()\nexcept SystemExit:\n    pass\n"
        "print('|'.join(name for name, m in sys.modules.items() "
        "if name.split('.')[0] in ('google', 'tensorflow', 'keras', 'numpy') "
        # Namespaces without a file are made by .pth files when any Python starts.
        "and getattr(m, '__file__', None)))"
    )
    run = subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True)
    return [name for name in run.stdout.splitlines()[-1].split("|") if name]


def main() -> None:
    """Print the ratio of the medians."""
    with tempfile.TemporaryDirectory() as folder:
        bare = Path(folder) / "bare.py"
        bare.write_text(BARE_PROGRAM)
        ours_command = [str(Path(sys.executable).with_name("ops")), "--help"]
        bare_command = [sys.executable, str(bare), "--help"]
        pairs = [(seconds(ours_command), seconds(bare_command)) for _ in range(ROUNDS + 1)][1:]
    ours = statistics.median(pair[0] for pair in pairs)
    theirs = statistics.median(pair[1] for pair in pairs)
    ratio = statistics.median(a / b for a, b in pairs)
    heavy = heavy_modules()
    show(
        "ops --help",
        [
            Figure(
                "ops --help / bare Typer",
                f"{ratio:.2f}x ({ours * 1000:.0f} / {theirs * 1000:.0f} ms)",
                "<= 2x",
                ratio <= 2,
            ),
            Figure("Google or TensorFlow modules loaded", str(len(heavy)), "0", not heavy),
        ],
    )


if __name__ == "__main__":
    main()
