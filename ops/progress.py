"""How the rules tell what they are doing, without knowing who listens."""

from __future__ import annotations

from contextlib import AbstractContextManager, nullcontext
from typing import Protocol


class Step(Protocol):
    """One piece of work that is under way."""

    def advance(self, amount: float = 1) -> None:
        """Count `amount` more of the step's unit as done."""

    def reach(self, done: float, note: str = "") -> None:
        """Set what is done to `done` of the total; `note` is a short remark shown beside it."""


class Progress(Protocol):
    """Passed to workflows by the command line, and to tests as `Silent()`."""

    def step(
        self, title: str, total: float | None = None, unit: str = ""
    ) -> AbstractContextManager[Step]:
        """Open a step of `total` units (None: unknown); it ends with its `with` block."""

    def note(self, message: str) -> None:
        """Say one line that stays."""

    def goes_on(self, message: str) -> None:
        """Keep what to say if the user interrupts now: what goes on by itself (empty: nothing)."""


class _SilentStep:
    def advance(self, amount: float = 1) -> None:
        """Nothing is shown."""

    def reach(self, done: float, note: str = "") -> None:
        """Nothing is shown."""


class Silent:
    """A Progress that nobody listens to."""

    def step(
        self,
        title: str,  # noqa: ARG002
        total: float | None = None,  # noqa: ARG002
        unit: str = "",  # noqa: ARG002
    ) -> AbstractContextManager[Step]:
        """A step that shows nothing."""
        return nullcontext(_SilentStep())

    def note(self, message: str) -> None:
        """Nothing is shown."""

    def goes_on(self, message: str) -> None:
        """Nobody interrupts."""
