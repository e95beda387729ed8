"""What a custom training is told: the user's flags, and what the data set is."""

from ops.workflows import trainer_flags


def test_a_multi_label_data_set_is_said_to_be_one() -> None:
    """The trainer need not look for a photo with two labels; what the user says goes before."""
    asked = {"model-type": "cnn"}

    said = trainer_flags.arguments(asked, multi_label=True)
    denied = trainer_flags.arguments({**asked, "multi-label": "no"}, multi_label=True)

    assert said == ["--model-type=cnn", "--multi-label=yes"]
    assert denied == ["--model-type=cnn", "--multi-label=no"]
    assert trainer_flags.arguments(asked) == ["--model-type=cnn"]
