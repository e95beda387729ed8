"""What every folder of tests shares: a server, photos, and where the checkout is."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.local_cloud import ROOT, LocalCloud, running_cloud

CLOTHING = ROOT.parent / "shared" / "datasets" / "clothing"


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
