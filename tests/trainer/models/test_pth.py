"""`trainer.models.pth` and `efficientnet_lite`: weights read without torch, or refused."""

import pickle
from pathlib import Path

import pytest

from trainer.errors import WeightsError
from trainer.models.efficientnet_lite import lite0, weights_file
from trainer.models.pth import read_state


def test_the_installed_weights_are_lite0() -> None:
    """49 layers, 1,280 features, 3.3 million weights in the folded network."""
    network = lite0()

    count = sum(layer.kernel.size for layer in network.layers if layer.kernel is not None)

    assert (len(network.layers), network.width, network.size) == (49, 1280, 224)
    assert count == 3_328_992


@pytest.mark.parametrize("kept", [0, 10, 5_000, -1, -100_000])
def test_a_truncated_file_says_so(tmp_path: Path, kept: int) -> None:
    """Wherever the file is cut, one sentence names it, its size and the cure."""
    short = tmp_path / "lite0.pth"
    short.write_bytes(weights_file().read_bytes()[:kept])

    with pytest.raises(WeightsError) as refusal:
        lite0(short)

    assert "The weights file lite0.pth is damaged or cut short" in str(refusal.value)
    assert "Install its package again." in str(refusal.value)


def test_a_file_cannot_run_code(tmp_path: Path) -> None:
    """A pickle that names anything but tensors is refused before it is called."""
    evil = tmp_path / "evil.pth"
    evil.write_bytes(pickle.dumps(print))

    with pytest.raises(WeightsError, match=r"refused to load builtins\.print"):
        read_state(evil)


def test_a_missing_file_says_what_to_install(tmp_path: Path) -> None:
    """The sentence ends with the extra to install."""
    with pytest.raises(WeightsError, match="Install the extra: train"):
        read_state(tmp_path / "none.pth")
