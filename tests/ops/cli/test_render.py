"""Tables for people: columns that stay in line, whatever script the labels are in."""

from ops.cli.render import table


def test_wide_and_combining_characters_keep_the_columns_in_line() -> None:
    """A wide character takes two columns of a terminal, a combining accent none."""
    rows = [("猫", 7), ("n\u0303andu\u0301", 8), ("👟 shoe", 9)]

    assert table(["label", "photos"], rows, right="photos").split("\n") == [
        "label    photos",
        "猫            7",
        "n\u0303andu\u0301         8",
        "👟 shoe       9",
    ]


def test_long_labels_are_cut_and_names_to_type_are_not() -> None:
    """Forty columns of a label, the last an ellipsis; a model's name stays whole."""
    lines = table(["label", "model"], [("x" * 41, "m" * 60), ("猫" * 30, "n")]).split("\n")

    assert lines[1] == f"{'x' * 39}…  {'m' * 60}"
    assert lines[2] == f"{'猫' * 19}…   n"


def test_a_label_of_forty_columns_is_whole() -> None:
    """What fits is not touched."""
    assert table(["label"], [("x" * 40,)]) == f"label\n{'x' * 40}"
