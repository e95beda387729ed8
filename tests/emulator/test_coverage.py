"""COVERAGE.md and the page of differences say what the code does."""

from emulator.aiplatform.handlers import HANDLERS, RAW_HANDLERS
from emulator.coverage import DIFFERENCES_PAGE, FILE, differences, text


def test_the_page_is_up_to_date() -> None:
    """The committed page is what the code generates now."""
    assert FILE.read_text() == text(), "Type: python -m emulator.coverage"
    assert DIFFERENCES_PAGE.read_text() == differences(), "Type: python -m emulator.coverage"


def test_every_handler_is_a_method_of_a_listed_service() -> None:
    """No handler is filed under a name that no service has."""
    page = FILE.read_text()

    for name in [*HANDLERS, *RAW_HANDLERS]:
        assert f"| `{name}` | yes |" in page
