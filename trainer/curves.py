"""Loss and accuracy by epoch, as TensorBoard shows them."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import ExitStack
from pathlib import Path
from types import TracebackType
from typing import Any

from trainer.imports import tensorflow

RUNS = ("train", "validation")


class Curves:
    """Writes the runs `train` and `validation` below a folder; a context that closes the files."""

    def __init__(self, folder: Path) -> None:
        self._summary = tensorflow().summary
        self._stack = ExitStack()
        self._writers: dict[str, Any] = {}
        for run in RUNS:
            writer = self._summary.create_file_writer(str(folder / run))
            self._writers[run] = writer
            self._stack.callback(writer.close)

    def __enter__(self) -> Curves:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._stack.close()

    def write(self, epoch: int, run: str, figures: Mapping[str, float]) -> None:
        """Adds one point, at `epoch` (from 0), to each named curve of a run."""
        writer = self._writers[run]
        with writer.as_default():
            for name, value in figures.items():
                self._summary.scalar(f"epoch_{name}", value, step=epoch)
        writer.flush()
