"""The contact sheet: some photos of each label, inside one page that loads and runs nothing."""

import re
from collections.abc import Callable
from html.parser import HTMLParser
from pathlib import Path

import pytest

from ops.cloud.session import Session
from ops.ledger import Ledger
from ops.progress import Silent
from ops.workflows import import_dataset as workflow
from ops.workflows import import_sheet
from ops.workflows.import_source import Options, look
from tests.ops.conftest import Ran
from tests.ops.photo_files import write_photos

LABELS = ("<script>alert(1)</script>", "قطة", "猫", "👨‍👩‍👧", "café")


class Page(HTMLParser):
    """What a browser would find: the tags with their attributes, and the text."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.words: list[str] = []
        self.feed(html)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """A tag is met."""
        self.tags.append((tag, dict(attrs)))

    def handle_data(self, data: str) -> None:
        """Text is met."""
        self.words.append(data.strip())


def no_session() -> Session:
    """What is on this machine needs none."""
    raise AssertionError("a session was opened")


@pytest.fixture
def plan(ledger: Ledger, tmp_path: Path) -> workflow.ImportPlan:
    """A multi-label data set with labels of any script, one hostile, and a photo without any."""
    write_photos(tmp_path, {"p": 61})
    rows = [
        f'p/{n:02}.jpg,"{LABELS[n % 5]}"' + (f",{LABELS[4]}" if n == 0 else "") for n in range(60)
    ]
    (tmp_path / "shop.csv").write_text("\n".join([*rows, "p/60.jpg"]), encoding="utf-8")
    found = look(str(tmp_path / "shop.csv"), Options(), Silent(), tmp_path, no_session)
    return workflow.plan(ledger, found)


def test_the_sheet_shows_each_label_and_loads_nothing(
    plan: workflow.ImportPlan, tmp_path: Path
) -> None:
    """Pictures are inside, names are text whatever their script, and there is no script at all."""
    html = import_sheet.write(plan, tmp_path / "out/sheet.html", Silent()).read_text("utf-8")

    page = Page(html)
    names = [tag for tag, _ in page.tags]
    pictures = [attributes["src"] or "" for tag, attributes in page.tags if tag == "img"]
    assert len(pictures) == 62
    assert all(picture.startswith("data:image/") for picture in pictures)
    assert names.count("section") == 6
    assert "script" not in names and "link" not in names
    assert set(LABELS) | {"(no label)"} <= set(page.words)
    policies = [a["content"] or "" for tag, a in page.tags if "http-equiv" in a]
    assert [policy.split(";")[0] for policy in policies] == ["default-src 'none'"]
    assert re.findall(r"(?:src|href)=\"(?!data:|#)", html) == []
    assert [path.name for path in (tmp_path / "out").iterdir()] == ["sheet.html"]


def test_a_photo_that_is_gone_is_left_out(plan: workflow.ImportPlan, tmp_path: Path) -> None:
    """The sheet is about what was imported, and nothing fails because of it."""
    (tmp_path / "p/07.jpg").unlink()

    html = import_sheet.write(plan, tmp_path / "sheet.html", Silent()).read_text("utf-8")

    assert html.count("<img ") == 61


def test_not_more_pictures_than_a_page_can_bear(ledger: Ledger, tmp_path: Path) -> None:
    """At most thirty of a label; that is said with how many there are."""
    pets = write_photos(tmp_path / "pets", {"cat": 40, "dog": 10})
    found = look(str(pets), Options(), Silent(), tmp_path, no_session)

    path = import_sheet.write(workflow.plan(ledger, found), tmp_path / "s.html", Silent())

    html = path.read_text("utf-8")
    assert html.count("<img ") == 40
    assert "32 training, 4 validation, 4 test; 30 of 40 photos shown" in html


def test_the_command_says_where_the_sheet_lies(ops: Callable[..., Ran], tmp_path: Path) -> None:
    """Written at the import, kept by the next, elsewhere with --sheet; not being able is no end."""
    home = tmp_path / "home"
    write_photos(home / "pets", {"cat": 10, "dog": 10})

    first = ops("import-dataset", "pets", "--json").json["result"]
    second = ops("import-dataset", "pets").out.splitlines()[-1]
    asked = ops("import-dataset", "pets", "--sheet", "here/sheet.html")
    impossible = ops("import-dataset", "pets", "--sheet", "pets")

    assert first["sheet"] == f".ops/default/sheets/pets-{first['digest'][:12]}.html"
    assert second == f"Contact sheet: {first['sheet']}"
    assert (home / first["sheet"]).is_file() and (home / "here/sheet.html").is_file()
    assert asked.out.splitlines()[-1] == "Contact sheet: here/sheet.html"
    assert not list(home.glob(".*.part"))
    assert (impossible.code, "cannot be written (Is a directory)" in impossible.err) == (0, True)
