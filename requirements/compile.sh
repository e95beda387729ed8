#!/usr/bin/env bash
# Compile the three requirement sets with hashes and without any index address.
set -euo pipefail
cd "$(dirname "$0")/.."
uv=${UV:-.venv/bin/uv}
compile() {
  "$uv" pip compile pyproject.toml --universal --python-version 3.11 --generate-hashes \
    --no-emit-index-url --no-header --no-annotate --quiet "$@"
}
compile --extra train --extra prepare --extra dev --output-file requirements/dev.txt
compile --extra train --constraint requirements/dev.txt --output-file requirements/train.txt
compile --constraint requirements/dev.txt --output-file requirements/runtime.txt
