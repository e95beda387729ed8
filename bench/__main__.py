"""Run every benchmark, or those named: `python -m bench [help start …]`."""

import subprocess
import sys
from pathlib import Path

FOLDER = Path(__file__).parent
ORDER = (
    "help",
    "start",
    "doctor",
    "import_dataset",
    "predict",
    "train_automl",
    "automl_folds",
    "keras_peers",
    "automl_memory",
    "other_data",
    "same_seed",
    "model_types",
    "input_pipeline",
    "prepare",
    "serve",
    "serve_load",
    "skew",
    "explain",
    "demo",
    "kills",
    "resume",
    "server_kills",
    "bootstrap_kills",
    "storage_load",
    "large_objects",
    "million_objects",
    "import_rows",
    "terraform_stack",
)


def main() -> int:
    """The worst exit code of the scripts, each run in a process of its own."""
    names = sys.argv[1:] or ORDER
    unknown = [name for name in names if not (FOLDER / f"{name}.py").is_file()]
    if unknown:
        print(f"No such benchmark: {' '.join(unknown)}. There are: {' '.join(ORDER)}")
        return 2
    worst = 0
    for name in names:
        print(f"\n== {name}", flush=True)
        command = [sys.executable, "-m", f"bench.{name}"]
        worst = max(worst, subprocess.run(command, cwd=FOLDER.parent, check=False).returncode)
    return worst


if __name__ == "__main__":
    sys.exit(main())
