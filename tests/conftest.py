"""What every folder of tests shares: a server, photos, and where the checkout is."""

import tomllib
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.local_cloud import ROOT, LocalCloud, running_cloud

CLOTHING = ROOT.parent / "shared" / "datasets" / "clothing"

LONG = Path(__file__).with_name("long_files.toml")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """The longest files first, so that no worker is left alone with one at the end."""
    order = {name: place for place, name in enumerate(tomllib.loads(LONG.read_text())["files"])}
    folder = Path(__file__).parent
    items.sort(key=lambda one: order.get(one.path.relative_to(folder).as_posix(), len(order)))


@pytest.fixture
def cloud(tmp_path: Path) -> Iterator[LocalCloud]:
    """A fresh local cloud of this test's own."""
    with running_cloud(tmp_path / "cloud") as server:
        yield server


@pytest.fixture(scope="session")
def digits(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Forty handwritten digits of each class, in a folder per class."""
    from demo.digits import write_digits

    folder = tmp_path_factory.mktemp("digits")
    write_digits(folder, limit_per_class=40)
    return folder


@pytest.fixture(scope="session")
def clothing() -> Path:
    """The clothing photos beside the checkout."""
    if not CLOTHING.is_dir():
        pytest.skip("needs the clothing photos in ../shared/datasets/clothing")
    return CLOTHING
