"""`trainer.schedule`: habits by the data's size."""

import pytest

from trainer.schedule import scratch_size


@pytest.mark.parametrize(("sides", "size"), [([28] * 9, 28), ([9], 16), ([400, 533], 64), ([], 64)])
def test_the_small_network_takes_the_photos_own_size(sides: list[int], size: int) -> None:
    """Digits stay 28 pixels, big photos become 64, nothing is smaller than 16."""
    assert scratch_size(sides) == size
