"""Progress shown: bars on a terminal for what takes over a second, plain lines elsewhere."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, TextIO

if TYPE_CHECKING:
    from rich.progress import Progress as Bars

QUIET_SECONDS = 1.0
LINE_SECONDS = 5.0


class Listener:
    """A Progress that writes to a stream; `interrupted` is what to say on Ctrl-C."""

    def __init__(self, stream: TextIO, clock: Callable[[], float] = time.monotonic) -> None:
        self.stream = stream
        self.clock = clock
        self.interrupted = ""

    @contextmanager
    def step(self, title: str, total: float | None = None, unit: str = "") -> Iterator[_Shown]:
        """A step whose state is written while it lasts, and once at its end if it took long."""
        shown = self._shown(title, total, unit)
        try:
            yield shown
        finally:
            shown.close()
        shown.finish()

    def note(self, message: str) -> None:
        """Write a line."""
        print(message, file=self.stream, flush=True)

    def goes_on(self, message: str) -> None:
        """Keep what goes on by itself."""
        self.interrupted = message

    def _shown(self, title: str, total: float | None, unit: str) -> _Shown:
        return _Lines(self, title, total, unit)


class BarListener(Listener):
    """The same with rich's bars."""

    def _shown(self, title: str, total: float | None, unit: str) -> _Shown:
        return _Bar(self, title, total, unit)


class _Shown:
    """A step, counted; subclasses show it."""

    def __init__(self, to: Listener, title: str, total: float | None, unit: str) -> None:
        self.to, self.title, self.total, self.unit = to, title, total, unit
        self.done: float = 0
        self.remark = ""
        self.started = to.clock()

    @property
    def seconds(self) -> float:
        return self.to.clock() - self.started

    def advance(self, amount: float = 1) -> None:
        self.reach(self.done + amount, self.remark)

    def reach(self, done: float, note: str = "") -> None:
        self.done, self.remark = done, note
        self.update()

    def update(self) -> None:
        """Show the state."""

    def finish(self) -> None:
        """Say that it is done, if it took long enough to wonder."""
        if self.seconds > QUIET_SECONDS:
            self.to.note(f"{self.title}: {self.amount(self.done)}{self.seconds:.1f} s")

    def close(self) -> None:
        """Take the bar away."""

    def amount(self, done: float) -> str:
        if not self.unit:
            return ""
        return f"{done:,.0f} {self.unit}, "


class _Lines(_Shown):
    """A line every few seconds."""

    last = 0.0

    def update(self) -> None:
        if self.seconds - self.last < LINE_SECONDS:
            return
        self.last = self.seconds
        of = f" of {self.total:,.0f}" if self.unit and self.total else ""
        count = f"{self.done:,.0f}{of} {self.unit}" if self.unit else self._percent()
        words = [word for word in (count, self.remark) if word]
        self.to.note(f"{self.title}: {', '.join(words)}")

    def _percent(self) -> str:
        return f"{100 * self.done / self.total:.0f} %" if self.total else ""


class _Bar(_Shown):
    """A bar that appears after a second."""

    bars: Bars | None = None

    def update(self) -> None:
        if self.bars is None:
            if self.seconds < QUIET_SECONDS:
                return
            self._open()
        assert self.bars is not None
        self.bars.update(self.bars.task_ids[0], completed=self.done, remark=self.remark)

    def close(self) -> None:
        if self.bars is not None:
            self.bars.stop()

    def _open(self) -> None:
        from rich import progress
        from rich.console import Console

        self.bars = progress.Progress(
            progress.TextColumn("{task.description}"),
            progress.BarColumn(),
            progress.TaskProgressColumn(),
            progress.TimeRemainingColumn(),
            progress.TextColumn("{task.fields[remark]}"),
            console=Console(file=self.to.stream, force_terminal=True),
            transient=True,
        )
        self.bars.add_task(self.title, total=self.total, remark=self.remark)
        self.bars.start()


def listener(stream: TextIO) -> Listener:
    """Bars when the stream is a terminal, lines when it is not."""
    return BarListener(stream) if stream.isatty() else Listener(stream)
