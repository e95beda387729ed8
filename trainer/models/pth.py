"""Reads torch's legacy weight files (before 1.6, not zip) into numpy, without torch.

Little endian throughout: five pickles (magic, protocol, system, the state dict, the storage keys in
file order), then for each key an int64 count and the raw numbers. Only the few names a state dict
needs are ever unpickled, so a hostile file cannot run code.
"""

from __future__ import annotations

import collections
import pickle
import struct
from pathlib import Path
from typing import Any, BinaryIO, NamedTuple

import numpy as np
from numpy.typing import NDArray

from trainer.errors import WeightsError

MAGIC = 0x1950A86A20F9469CFC6C
PROTOCOL = 1001
STORAGE_DTYPES = {"FloatStorage": "<f4", "LongStorage": "<i8"}


class _Tensor(NamedTuple):
    storage: tuple[str, np.dtype[Any], int]
    offset: int
    shape: tuple[int, ...]
    stride: tuple[int, ...]


def read_state(path: Path) -> dict[str, NDArray[Any]]:
    """The arrays of a state dict, by name. Raises WeightsError for any other or damaged file."""
    try:
        with path.open("rb") as file:
            return _read(file)
    except FileNotFoundError:
        raise WeightsError(
            f"There is no weights file {path.name}. Install the extra: train."
        ) from None
    except (
        pickle.UnpicklingError,
        EOFError,
        struct.error,
        ValueError,
        KeyError,
        AttributeError,
        TypeError,
        IndexError,
        ImportError,
        MemoryError,
        OverflowError,
    ) as error:
        raise WeightsError(
            f"The weights file {path.name} is damaged or cut short ({path.stat().st_size} bytes; "
            f"{type(error).__name__}: {error}). Install its package again."
        ) from error


def _read(file: BinaryIO) -> dict[str, NDArray[Any]]:
    magic, protocol, system = (_StateUnpickler(file).load() for _ in range(3))
    if magic != MAGIC or protocol != PROTOCOL or not system.get("little_endian"):
        raise ValueError("not torch's legacy little-endian format")
    tensors: dict[str, _Tensor] = _StateUnpickler(file).load()
    order: list[str] = _StateUnpickler(file).load()
    kinds = {tensor.storage[0]: tensor.storage for tensor in tensors.values()}
    storages = {key: _read_storage(file, *kinds[key][1:]) for key in map(str, order)}
    if file.read(1):
        raise ValueError("bytes left over after the last tensor")
    return {name: _view(storages[t.storage[0]], t) for name, t in tensors.items()}


def _read_storage(file: BinaryIO, dtype: np.dtype[Any], count: int) -> NDArray[Any]:
    (stated,) = struct.unpack("<q", file.read(8))
    if stated != count:
        raise ValueError(f"{stated} numbers where {count} were announced")
    return np.frombuffer(file.read(count * dtype.itemsize), dtype, count)


def _view(storage: NDArray[Any], tensor: _Tensor) -> NDArray[Any]:
    _, offset, shape, stride = tensor
    last = offset + sum((n - 1) * step for n, step in zip(shape, stride, strict=True))
    if offset < 0 or last >= storage.size or any(step < 0 for step in stride):
        raise ValueError("a tensor reaches outside its storage")
    steps = [step * storage.itemsize for step in stride]
    return np.lib.stride_tricks.as_strided(storage[offset:], shape, steps).copy()


def _rebuild(storage: Any, offset: int, shape: Any, stride: Any, *_: Any) -> _Tensor:
    return _Tensor(storage, int(offset), tuple(shape), tuple(stride))


class _StateUnpickler(pickle.Unpickler):
    def find_class(self, module: str, name: str) -> Any:
        if (module, name) == ("collections", "OrderedDict"):
            return collections.OrderedDict
        if (module, name) == ("torch._utils", "_rebuild_tensor_v2"):
            return _rebuild
        if module == "torch" and name in STORAGE_DTYPES:
            return STORAGE_DTYPES[name]
        raise pickle.UnpicklingError(f"refused to load {module}.{name}")

    def persistent_load(self, pid: Any) -> tuple[str, np.dtype[Any], int]:
        if len(pid) != 6 or pid[0] != "storage" or pid[5] is not None:
            raise pickle.UnpicklingError(f"unsupported storage {pid!r}")
        return str(pid[2]), np.dtype(pid[1]), int(pid[4])
