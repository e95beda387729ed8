"""The parts of Google's Vertex AI package that a command uses, without the other nine tenths.

`import google.cloud.aiplatform_v1` takes 0.90 s: 40 services, each with four transports, and
aiohttp for those that no command uses. The six services of `ops` alone take 0.33 s (2 cores,
google-cloud-aiplatform 2.7, 2026-11-22). A package imported here runs its `__init__` when a name
is asked of it that is no module of its own, so that other code finds all that it would find.
"""

from __future__ import annotations

import re
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from importlib import import_module
from importlib.util import find_spec, module_from_spec
from types import ModuleType
from typing import Any

PACKAGE = "google.cloud.aiplatform_v1"
PACKAGES = (PACKAGE, f"{PACKAGE}.services", f"{PACKAGE}.types")
# Google's clients leave their asynchronous REST transports out where it is not installed.
UNUSED = "aiohttp"


class _Deferred(ModuleType):
    """A package whose `__init__` has not run yet."""

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__") and name != "__all__":
            raise AttributeError(f"module {self.__name__!r} has no attribute {name!r}")
        if find_spec(f"{self.__name__}.{name}"):
            return import_module(f"{self.__name__}.{name}")
        self.__class__ = ModuleType  # type: ignore[assignment]
        assert self.__spec__ is not None and self.__spec__.loader is not None
        self.__spec__.loader.exec_module(self)
        return getattr(self, name)


def client_class(name: str) -> Any:
    """The generated client of this name: `DatasetServiceClient`."""
    service = re.sub(r"(?<=[a-z])(?=[A-Z])", "_", name.removesuffix("Client")).lower()
    return getattr(_module(f"services.{service}"), name)


def messages(module: str) -> Any:
    """The module of the message types with this name: `dataset_service`, `model`."""
    return _module(f"types.{module}")


def _module(name: str) -> ModuleType:
    for package in PACKAGES:
        _defer(package)
    with _not_imported(UNUSED):
        return import_module(f"{PACKAGE}.{name}")


def _defer(name: str) -> None:
    """The package is there, to be run when it is needed; one that has been imported stays."""
    if name in sys.modules:
        return
    spec = find_spec(name)
    assert spec is not None
    package = module_from_spec(spec)
    package.__class__ = _Deferred
    sys.modules[name] = package
    parent, _, own = name.rpartition(".")
    setattr(sys.modules[parent], own, package)


@contextmanager
def _not_imported(name: str) -> Iterator[None]:
    """Within it an import of `name` fails as where it is not installed, unless it was imported."""
    if name in sys.modules:
        yield
        return
    sys.modules[name] = None  # type: ignore[assignment]
    try:
        yield
    finally:
        del sys.modules[name]
