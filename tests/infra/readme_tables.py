"""The tables of variables and outputs in the READMEs of `infra/`.

`python -m tests.infra.readme_tables` writes them anew; tests/infra/test_readmes.py holds them.
"""

from __future__ import annotations

from pathlib import Path

from tests.infra import hcl_files
from tests.infra.hcl_files import Declared

BEGIN = "<!-- tables: python -m tests.infra.readme_tables -->\n"
END = "<!-- end of tables -->\n"


def main() -> None:
    """Write every README whose tables are not what its files say."""
    for folder in hcl_files.FOLDERS:
        readme = folder / "README.md"
        text = with_tables(folder)
        if readme.read_text() != text:
            readme.write_text(text)


def with_tables(folder: Path) -> str:
    """The README of a module, with the tables that its files give."""
    text = (folder / "README.md").read_text()
    before, _, rest = text.partition(BEGIN)
    _, _, after = rest.partition(END)
    return f"{before}{BEGIN}\n{tables(folder)}\n{END}{after}"


def tables(folder: Path) -> str:
    """Both tables, as Markdown."""
    variables = [_variable(one) for one in hcl_files.variables(folder)]
    outputs = [f"| `{one.name}` | {_cell(one.description)} |" for one in hcl_files.outputs(folder)]
    return "\n".join(
        [
            "| variable | type | default | |",
            "|---|---|---|---|",
            *variables,
            "",
            "| output | |",
            "|---|---|",
            *outputs,
            "",
        ]
    )


def _variable(one: Declared) -> str:
    default = "*required*" if one.default is None else f"`{one.default}`"
    return f"| `{one.name}` | `{_cell(one.type)}` | {default} | {_cell(one.description)} |"


def _cell(text: str) -> str:
    return text.replace("|", "\\|")


if __name__ == "__main__":
    main()
