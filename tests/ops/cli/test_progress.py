"""Progress as lines and as bars, on a clock that is passed in."""

import io

from ops.cli.progress import BarListener, Listener


class Clock:
    """A clock that is set by hand."""

    seconds = 0.0

    def __call__(self) -> float:
        """The time it was set to."""
        return self.seconds


def test_short_work_says_nothing() -> None:
    """What takes under a second leaves no line."""
    stream = io.StringIO()
    with Listener(stream, Clock()).step("Checking", 10, "photos") as step:
        step.advance(10)

    assert stream.getvalue() == ""


def test_long_work_says_how_far_it_is_and_how_long_it_took() -> None:
    """A line every five seconds, and one at the end."""
    stream, clock = io.StringIO(), Clock()
    with Listener(stream, clock).step("Uploading", 3781, "photos") as step:
        for clock.seconds in (1.0, 5.5, 6.0, 11.0):
            step.advance(900)

    assert stream.getvalue() == (
        "Uploading: 1,800 of 3,781 photos\n"
        "Uploading: 3,600 of 3,781 photos\n"
        "Uploading: 3,600 photos, 11.0 s\n"
    )


def test_work_without_a_unit_says_its_percentage_and_remark() -> None:
    """A share of the whole, and what the server says of itself."""
    stream, clock = io.StringIO(), Clock()
    with Listener(stream, clock).step("Training", 1.0) as step:
        clock.seconds = 6.0
        step.reach(0.25, "features")

    assert stream.getvalue() == "Training: 25 %, features\nTraining: 6.0 s\n"


def test_failed_work_does_not_say_that_it_is_done() -> None:
    """After an error there is no line that looks like an end."""
    stream, clock = io.StringIO(), Clock()
    try:
        with Listener(stream, clock).step("Deploying"):
            clock.seconds = 3.0
            raise ValueError
    except ValueError:
        pass

    assert stream.getvalue() == ""


def test_a_bar_appears_after_a_second_and_goes_away() -> None:
    """On a terminal the bar comes late and leaves one line."""
    stream, clock = io.StringIO(), Clock()
    with BarListener(stream, clock).step("Uploading", 4, "photos") as step:
        step.advance()
        before = stream.getvalue()
        clock.seconds = 2.0
        step.advance()

    assert before == ""
    assert "50%" in stream.getvalue()
    assert stream.getvalue().endswith("Uploading: 2 photos, 2.0 s\n")
