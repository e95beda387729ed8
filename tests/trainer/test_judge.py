"""`trainer.judge`: who is dropped and who wins, from right and wrong answers alone."""

import numpy as np

from trainer.judge import Score, mirror_helps, scratch_wins, survivors


def scored(right: int, of: int, log_loss: float = 0.5) -> Score:
    """A candidate with the first `right` of `of` photos right."""
    return Score(np.arange(of) < right, log_loss)


def test_far_behind_is_dropped() -> None:
    """Scratch at 40 % against 85 % is not trained on; transfer is."""
    assert survivors(scored(85, 100), scored(40, 100), everything=False) == (True, False)


def test_a_little_behind_is_kept_when_more_photos_are_to_come() -> None:
    """Scratch gains more from photos than a linear head, so 5 points behind is not lost."""
    assert survivors(scored(190, 200), scored(180, 200), everything=False) == (True, True)


def test_transfer_behind_on_few_photos_is_dropped() -> None:
    """A linear head that is beaten on few photos will not win on many."""
    assert survivors(scored(180, 200), scored(190, 200), everything=False) == (False, True)


def test_a_draw_keeps_both_and_transfer_wins_it() -> None:
    """Nothing is decided by noise: equal answers leave the one that has seen the world."""
    assert survivors(scored(90, 100), scored(90, 100), everything=True) == (True, True)
    assert not scratch_wins(scored(90, 100), scored(90, 100))


def test_one_photo_of_two_decides_nothing() -> None:
    """With two validation photos a lead of one is within the error."""
    assert not scratch_wins(scored(1, 2), scored(2, 2))
    assert scratch_wins(scored(470, 500), scored(490, 500))


def test_a_narrow_lead_needs_surer_answers() -> None:
    """One photo ahead wins with the lower log loss, and not with the higher."""
    assert scratch_wins(scored(90, 100, 0.3), scored(91, 100, 0.2))
    assert not scratch_wins(scored(90, 100, 0.3), scored(90, 100, 0.4))
    assert not scratch_wins(scored(91, 100, 0.3), scored(90, 100, 0.2))


def test_the_mirror_image_is_left_out_where_left_and_right_differ() -> None:
    """Arrows to the left and right become coin tosses when mirrored; photographs do not mind."""
    assert not mirror_helps(scored(95, 100), scored(52, 100))
    assert mirror_helps(scored(88, 100), scored(87, 100))
