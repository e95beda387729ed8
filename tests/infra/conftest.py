"""The real provider, for the tests that need it."""

from __future__ import annotations

import pytest

from tests.infra.terraform_stack import provider_version


@pytest.fixture(scope="session")
def provider(tmp_path_factory: pytest.TempPathFactory) -> str:
    """The version of hashicorp/google that Terraform finds here; without one, a skipped test."""
    version, why = provider_version(tmp_path_factory.mktemp("provider"))
    if not version:
        pytest.skip(why)
    return version
