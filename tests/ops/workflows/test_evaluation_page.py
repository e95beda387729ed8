"""The evaluation page: what is in the file, and how it behaves in a browser without network."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from ops import settings
from ops.workflows import evaluation_pictures
from ops.workflows.evaluate import Evaluated
from ops.workflows.evaluate_metrics import by_f1
from ops.workflows.evaluation_page import render, view
from ops.workflows.evaluation_parts import figures
from tests.ops.evaluations import evaluated, judged, pictures, several

CHROMIUM = Path("/usr/bin/chromium")
NASTY = ("</script><script>alert(1)</script>", "靴 & co", '"quoted"', "قميص", "<b>bold</b>", "hat")
NARROW, WIDE = 390, 1200


@dataclass
class Browsed:
    """An open page, what its console said, and what it asked the network for."""

    page: Any
    console: list[str] = field(default_factory=list)
    requests: list[str] = field(default_factory=list)


@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    """Debian's Chromium, without a window."""
    playwright = pytest.importorskip("playwright.sync_api", reason="needs playwright")
    if not CHROMIUM.exists():
        pytest.skip("needs Chromium at /usr/bin/chromium: apt-get install chromium")
    with playwright.sync_playwright() as started:
        found = started.chromium.launch(executable_path=str(CHROMIUM), args=["--no-sandbox"])
        yield found
        found.close()


def html_of(found: Evaluated) -> str:
    """The page of an evaluation, with a picture for each photo it would read."""
    rows = evaluation_pictures.choose(found)
    shown = figures(found, rows, pictures(rows))
    where = settings.read({}, {}, Path("/nowhere"))
    return render(view(found, shown, where, datetime(2026, 11, 21, tzinfo=UTC)))


@contextmanager
def opened(browser: Any, html: str, folder: Path, width: int = WIDE) -> Iterator[Browsed]:
    """The page from a file, offline, in a window of this width."""
    file = folder / "page.html"
    file.write_text(html, encoding="utf-8")
    context = browser.new_context(viewport={"width": width, "height": 900}, offline=True)
    found = Browsed(context.new_page())
    found.page.on("console", lambda message: found.console.append(message.text))
    found.page.on("pageerror", lambda error: found.console.append(str(error)))
    found.page.on("request", lambda request: found.requests.append(request.url))
    found.page.on("dialog", lambda dialog: found.console.append(dialog.message))
    found.page.goto(file.as_uri())
    yield found
    context.close()


def test_the_page_asks_no_network_and_fits_a_phone(browser: Any, tmp_path: Path) -> None:
    """Nothing in the console, no request but the file, no sideways scrolling, with 2 to 200."""
    many = [f"{NASTY[n % len(NASTY)]} {n}" for n in range(200)]
    for labels in (NASTY[:2], NASTY, many):
        html = html_of(evaluated(labels, judged(labels, 4 * len(labels), 0.2)))
        for width in (NARROW, WIDE):
            with opened(browser, html, tmp_path, width) as found:
                wide = found.page.evaluate("document.documentElement.scrollWidth")

                assert found.console == []
                asked = [url for url in found.requests if not url.startswith("data:")]
                assert asked == [(tmp_path / "page.html").as_uri()]
                assert wide <= width


def test_the_slider_moves_the_figures(browser: Any, tmp_path: Path) -> None:
    """Headline, curve and table follow the threshold; nothing predicted has no precision."""
    found = evaluated(NASTY, judged(NASTY, 120, 0.3))
    with opened(browser, html_of(found), tmp_path) as browsed:
        page = browsed.page
        before = page.inner_text("#at-recall")
        dot = page.get_attribute("#dot", "cx")
        page.locator("#threshold").fill("18")

        row = next(one for one in found.curve if one.threshold == 0.9)
        assert page.inner_text("#threshold-shown") == "0.90"
        assert page.inner_text("#at-recall") == f"{row.recall:.3f}" != before
        assert page.get_attribute("#dot", "cx") != dot
        assert page.is_visible("#dot")
        page.locator("#threshold").fill("23")
        assert [page.inner_text(f"#at-{one}") for one in ("precision", "recall")] == ["–", "0.000"]
        assert not page.is_visible("#dot")
        assert browsed.console == []


def test_a_cell_of_the_matrix_opens_its_pictures(browser: Any, tmp_path: Path) -> None:
    """As many figures as photos went that way, with the labels in the heading."""
    found = evaluated(NASTY, judged(NASTY, 60, 0.3))
    assert found.confusion is not None
    true, said, count = found.confusion.mixed_up()[0]
    place = {label: number for number, label in enumerate(found.confusion.labels)}
    with opened(browser, html_of(found), tmp_path) as browsed:
        cell = browsed.page.locator(f".matrix [data-cell='{place[true]}-{place[said]}']")
        cell.click()
        panel = browsed.page.locator("#cell")

        assert panel.locator("h3").inner_text() == f"{true}, taken for {said}"
        assert panel.locator("figure:visible").count() == count
        assert cell.get_attribute("aria-pressed") == "true"
        cell.click()
        assert not panel.is_visible()


def test_a_label_draws_its_curve_and_opens_its_mistakes(browser: Any, tmp_path: Path) -> None:
    """For several labels a photo as well, where there is no matrix."""
    found = evaluated(NASTY, several(NASTY, 60), multi_label=True)
    with opened(browser, html_of(found), tmp_path) as browsed:
        page = browsed.page
        assert page.locator(".matrix").count() == 0
        assert "This evaluation has no confusion matrix" in page.inner_text("main")
        page.locator("#labels [data-open-label]").first.click()

        hardest = by_f1(found.labels)[0]
        drawn = [row for row in hardest.curve if row.precision is not None]
        assert 0 < len(drawn) < len(hardest.curve)
        assert len(page.get_attribute("#line-label", "points").split()) == len(drawn)
        assert page.locator("#label-pictures figure:visible").count() > 0
        assert browsed.console == []


def test_labels_are_sorted_and_found(browser: Any, tmp_path: Path) -> None:
    """The hardest first; a header sorts, a second click turns it round; many have a search."""
    labels = [f"label {number:02}" for number in range(30)]
    found = evaluated(labels, judged(labels, 300, 0.3))
    names = (
        "[...document.querySelectorAll('#labels tbody tr:not([hidden])')].map(r=>r.dataset.name)"
    )
    with opened(browser, html_of(found), tmp_path) as browsed:
        page = browsed.page
        figures_shown = page.locator("#labels [data-key=f1]").all_inner_texts()
        page.locator("#labels thead button", has_text="label").click()
        ascending = page.evaluate(names)
        page.locator("#labels thead button", has_text="label").click()
        descending = page.evaluate(names)
        page.locator("#label-filter").fill("label 07")

        assert figures_shown == sorted(figures_shown)
        assert (ascending, descending) == (labels, labels[::-1])
        assert page.evaluate(names) == ["label 07"]


def test_label_names_are_text_and_nothing_else() -> None:
    """No name ends the script, and the policy lets only this very script run."""
    html = html_of(evaluated(NASTY, judged(NASTY, 30, 0.5)))

    assert html.count("<script") == 2
    assert "<b>bold" not in html
    assert "default-src &#39;none&#39;; img-src data:; style-src &#39;sha256-" in html
    assert "unsafe" not in html


def test_without_photos_it_says_why_and_what_to_type() -> None:
    """Google keeps no predictions of single photos of an AutoML model."""
    html = html_of(evaluated(NASTY, judged(NASTY, 30, 0.5), kind="automl", keeps_photos=False))

    assert "Google keeps no predictions of an AutoML model for single photos." in html
    assert "ops deploy --check" in html
    assert "<figure" not in html
    assert "data-cell=" not in html


def test_pictures_are_the_worst_and_some_of_every_kind() -> None:
    """A frequent mistake leaves room for all others; the number is capped."""
    labels = [f"label {number}" for number in range(12)]
    found = evaluated(labels, judged(labels, 4_000, 0.4))

    chosen = evaluation_pictures.choose(found)

    kinds = {(row.true, row.best) for row in found.mistakes}
    assert len(chosen) == evaluation_pictures.MOST_PICTURES
    assert chosen[: evaluation_pictures.WORST] == found.mistakes[: evaluation_pictures.WORST]
    assert kinds <= {(row.true, row.best) for row in chosen}
