#!/usr/bin/env bash
# Compile the requirement sets with hashes and without any index address.
set -euo pipefail
cd "$(dirname "$0")/.."
uv=${UV:-.venv/bin/uv}
lock() {
  "$uv" pip compile --python-version 3.11 --generate-hashes \
    --no-emit-index-url --no-header --no-annotate --quiet "$@"
}
compile() {
  lock pyproject.toml --universal "$@"
}
compile --extra train --extra prepare --extra dev --output-file requirements/dev.txt
compile --extra train --constraint requirements/dev.txt --output-file requirements/train.txt
compile --constraint requirements/dev.txt --output-file requirements/runtime.txt

# What goes into the trainer's image. Vertex AI's machines are Linux on x86-64 (the N1, E2, G2, A2
# families); glibc 2.36 of Debian 12 takes what was built for 2.28.
image() {
  lock requirements/image.in - --python-platform x86_64-manylinux_2_28 \
    --constraint requirements/dev.txt --output-file "$1" <<< "$2"
}
image requirements/image-cpu.txt "tensorflow-cpu==2.21.*"
image requirements/image-gpu.txt "tensorflow[and-cuda]==2.21.*"
