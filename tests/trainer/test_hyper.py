"""`trainer.hyper`: every hyper-parameter has a value, the user's or one of the data's size."""

import pytest

from trainer.flags import parse, read_table, settled
from trainer.hyper import Hyper, settle
from trainer.schedule import FAMILIES, MOST_BYTES_OF_MAPS, UNFREEZE_FROM, trains_tail


def hyper_of(photos: int, *arguments: str, sides: tuple[int, ...] = (28,)) -> Hyper:
    """The hyper-parameters for so many training photos."""
    table = read_table()
    return settle(settled(parse(arguments, table), table), photos, sides)


def test_what_the_user_gives_stands() -> None:
    """Also nought and no, which are values."""
    given = ("--epochs=3", "--dropout=0", "--augment=none", "--filters=7", "--image-size=40")

    hyper = hyper_of(5000, "--model-type=cnn", *given)

    assert (hyper.epochs, hyper.dropout, hyper.augment) == (3, 0.0, ())
    assert (hyper.filters, hyper.image_size) == ((7,), 40)


@pytest.mark.parametrize("model_type", list(FAMILIES))
def test_many_photos_are_looked_at_fewer_times(model_type: str) -> None:
    """Epochs fall with the number of photos, the batch grows, and nothing is ever nought."""
    small, large = (hyper_of(count, f"--model-type={model_type}") for count in (30, 100_000))

    assert small.epochs > large.epochs == FAMILIES[model_type].fewest_epochs >= 2
    assert (small.batch_size, large.batch_size) == (8, 32)
    assert 1 <= small.patience <= small.epochs


def test_a_tail_s_training_is_bounded() -> None:
    """Six passes over a thousand photos, two over four thousand: never many more than 10,000."""
    counts = (1000, 2000, 3068, 4000)
    epochs = [hyper_of(count, "--model-type=transfer").epochs for count in counts]

    assert epochs == [6, 5, 3, 2]


def test_photographs_are_made_smaller_than_drawings_are() -> None:
    """Digits keep their 28 pixels; photographs get 64."""
    assert hyper_of(100, "--model-type=dnn").image_size == 28
    assert hyper_of(100, "--model-type=dnn", sides=(480, 640)).image_size == 64


def test_another_optimizer_has_a_rate_and_a_decay_of_its_own() -> None:
    """SGD takes longer steps than Adam; only those with decoupled decay have one."""
    sgd, adam = (
        hyper_of(100, "--model-type=cnn", f"--optimizer={name}") for name in ("sgd", "adam")
    )

    assert sgd.learning_rate == 1e-2
    assert adam.learning_rate < sgd.learning_rate
    assert (sgd.weight_decay, adam.weight_decay) == (1e-4, 0.0)


def test_the_tail_is_trained_with_many_photos_that_fit() -> None:
    """A word of the user stands; else from a thousand photos, while their maps fit memory."""
    assert not trains_tail("auto", UNFREEZE_FROM - 1)
    assert trains_tail("auto", UNFREEZE_FROM)
    assert not trains_tail("auto", MOST_BYTES_OF_MAPS // 10_000)
    assert trains_tail("tail", 2)
    assert not trains_tail("none", UNFREEZE_FROM)
