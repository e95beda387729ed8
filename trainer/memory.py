"""What a training from scratch needs of memory, what there is, and which batch fits."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

from trainer.errors import ConfigError, TrainingError
from trainer.hyper import Hyper
from trainer.models.zoo import Block, blocks

FLOAT_BYTES = 4
# A weight, its gradient, the optimizer's two averages, the best epoch's copy, a checkpoint's.
COPIES_OF_WEIGHTS = 6
# Photos as read, and once more while they are put into one array.
COPIES_OF_PHOTOS = 2
# Of each input and each layer's output in one step, gradients included: measured as growth of the
# address space at batches of 128 and 512, 64 and 128 pixels, on 2026-11-22: 4.3, 2.3, 4.7.
COPIES_OF_INPUTS, COPIES_OF_OUTPUTS, COPIES_OF_NORMALISED = 5.0, 2.5, 5.0
MARGIN_BYTES = 300 * 2**20
SMALLEST_IMAGE = 8
GIB = 2**30

CGROUP = Path("/sys/fs/cgroup")
MACHINE = Path("/proc/meminfo")
PROCESS = Path("/proc/self/statm")


def out_of_memory(error: BaseException) -> bool:
    """Whether it is about memory; TensorFlow's own error is known by name, without its import."""
    return isinstance(error, MemoryError) or type(error).__name__ == "ResourceExhaustedError"


def check(hyper: Hyper, photos: int, labels: int, free_bytes: int | None) -> None:
    """Raises TrainingError where a training would not fit, with the batch or size that would.

    `photos` are those not read yet. Where nobody knows what is free, every training may begin.
    """
    needed = needed_bytes(hyper, photos, labels)
    if free_bytes is None or needed <= free_bytes:
        return
    raise TrainingError(
        f"Training needs about {needed / GIB:.1f} GiB of memory, and {free_bytes / GIB:.1f} GiB "
        f"are free. {_advice(hyper, photos, labels, free_bytes)}"
    )


def needed_bytes(hyper: Hyper, photos: int, labels: int) -> int:
    """About the most that photos, weights and one step take together."""
    weights, values = _floats(blocks(hyper), hyper.image_size, labels)
    pixels = COPIES_OF_PHOTOS * photos * hyper.image_size**2 * 3
    step = round(hyper.batch_size * values) * FLOAT_BYTES
    return pixels + COPIES_OF_WEIGHTS * weights * FLOAT_BYTES + step + MARGIN_BYTES


def free_bytes() -> int | None:
    """What this process may still take: of the machine, its container and its own limit."""
    known = [found for found in (_machine(), _container(), _own_limit()) if found is not None]
    return max(min(known), 0) if known else None


def fitting_batch(works: Callable[[int], object], batch: int) -> int:
    """The largest of a half, a quarter … of a batch with which `works` does; 0 if there is none."""
    while batch := batch // 2:
        try:
            works(batch)
        except Exception as error:
            if not out_of_memory(error):
                raise
        else:
            return batch
    return 0


def _advice(hyper: Hyper, photos: int, labels: int, available: int) -> str:
    for batch in _halves(hyper.batch_size, 1):
        if needed_bytes(replace(hyper, batch_size=batch), photos, labels) <= available:
            return f"A batch of {batch} fits: give --batch-size {batch}."
    least = replace(hyper, batch_size=1)
    for size in _halves(hyper.image_size, SMALLEST_IMAGE):
        try:
            fits = needed_bytes(replace(least, image_size=size), photos, labels) <= available
        except ConfigError:
            break
        if fits:
            return f"No batch fits at {hyper.image_size} pixels: give --image-size {size}."
    return "Not even a batch of 1 fits: train on fewer photos, or take a larger machine."


def _halves(number: int, least: int) -> Iterator[int]:
    while (number := number // 2) >= least:
        yield number


def _floats(layers: tuple[Block, ...], size: int, labels: int) -> tuple[int, float]:
    """Weights of a network, and the values of one photo in a step."""
    side, depth, weights = size, 3, 0
    values = COPIES_OF_INPUTS * 3 * size**2
    for block in layers:
        if block.kind == "pool":
            side = -(-side // 2)
        elif block.kind == "flatten":
            side, depth = 1, depth * side * side
        elif block.kind in ("convolution", "dense"):
            window = block.kernel**2 if block.kind == "convolution" else 1
            weights += (window * depth + 3) * block.units
            copies = COPIES_OF_NORMALISED if block.normalised else COPIES_OF_OUTPUTS
            values += copies * block.units * side**2
            depth = block.units
    return weights + (depth + 1) * labels, values


def _machine() -> int | None:
    for line in _lines(MACHINE):
        if line.startswith("MemAvailable:"):
            return int(line.split()[1]) * 1024
    return None


def _container() -> int | None:
    """Of control groups, version 2 or 1; what is cached of files can be had back."""
    for limit, used in (
        ("memory.max", "memory.current"),
        ("memory/memory.limit_in_bytes", "memory/memory.usage_in_bytes"),
    ):
        words = [*_lines(CGROUP / limit), *_lines(CGROUP / used)]
        if len(words) == 2 and all(word.isdigit() for word in words):
            return int(words[0]) - int(words[1]) + _cached((CGROUP / limit).parent)
    return None


def _cached(folder: Path) -> int:
    found = [line.split() for line in _lines(folder / "memory.stat")]
    return sum(int(words[1]) for words in found if words[0] == "inactive_file")


def _own_limit() -> int | None:
    import resource

    limit, _ = resource.getrlimit(resource.RLIMIT_AS)
    pages = _lines(PROCESS)
    if limit == resource.RLIM_INFINITY or not pages:
        return None
    return limit - int(pages[0].split()[0]) * resource.getpagesize()


def _lines(path: Path) -> list[str]:
    try:
        return path.read_text().splitlines()
    except OSError:
        return []
