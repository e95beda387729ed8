"""`kill -9` at steps of an import, a custom training, a deployment and a teardown.

In the suite at a few that leave the most behind; `python -m bench resume` cuts at each.
"""

from collections.abc import Iterator

import pytest

from tests.journey.cuts import (
    AFTER,
    BEFORE,
    COMMANDS,
    Campaign,
    Cut,
    Row,
    all_cuts,
    campaign,
    not_cut,
    word,
)
from tests.ops.steps import Step, form, steps

PARENT = "/v1/projects/local-project/locations/us-central1"
UPLOAD = "POST /upload/storage/v1/b/local-project-ops-default/o"
SAMPLE = (
    Cut("import", Step("POST datasets/{id}:import", 1), BEFORE),
    Cut("train", Step("POST trainingPipelines", 1), AFTER),
    Cut("deploy", Step("POST endpoints/{id}:deployModel", 1), AFTER),
    Cut("teardown", Step("DELETE endpoints/{id}", 1), BEFORE),
)


@pytest.fixture(scope="module")
def cut(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Campaign]:
    """A user behind a proxy, and what each command does undisturbed."""
    with campaign(tmp_path_factory.mktemp("cuts")) as found:
        yield found


@pytest.mark.parametrize("where", SAMPLE, ids=lambda one: f"{one.command} {one.step.form}")
def test_a_command_killed_at_a_step_is_taken_up(cut: Campaign, where: Cut) -> None:
    """The repeat leads to exactly what an undisturbed command leads to: nothing twice."""
    row = cut.kill(where)

    assert row.left != "—"
    assert row.sent != "nothing"


def test_every_step_of_a_command_has_a_word_and_a_cut(cut: Campaign) -> None:
    """No changing request of the four commands is unknown, and each is in the bench's table."""
    every = all_cuts(cut.known)

    assert list(cut.known) == list(COMMANDS)
    assert {(one.command, one.step) for one in every} == {
        (command, step) for command, its in cut.known.items() for step in its
    }
    assert [one for one in every if word(one.step.form) == one.step.form] == []
    assert set(SAMPLE) <= set(every)


def test_a_step_keeps_its_name_when_its_number_shifts() -> None:
    """A lock asked for twice, or another id, does not make another step of what follows."""
    submit = f"POST {PARENT}/trainingPipelines"
    take = f"{UPLOAD} locks/models.json"
    first = f"{UPLOAD} runs/train-59c9c8480d57-533a3d57-1/plan.json"
    again = f"{UPLOAD} runs/train-aaaaaaaaaaaa-bbbbbbbb-2/plan.json"

    assert steps([first, take, submit])[-1] == steps([again, take, take, submit])[-1]
    assert form(first) == form(again) == "POST objects/runs/{run}/plan.json"
    assert steps([take, take])[1] == Step("POST objects/locks/models.json", 2)


def test_a_step_without_its_cut_is_found() -> None:
    """A campaign that missed a step, or cut one twice, does not pass for whole."""
    known = {"train": [Step("POST trainingPipelines", 1)]}
    whole = [Row(cut, "", "", "", "") for cut in all_cuts(known)]

    assert [row.cut.side for row in whole] == [BEFORE, AFTER]
    assert not_cut(known, whole) == []
    assert not_cut(known, whole[:1]) == [whole[1].cut]
    assert not_cut(known, [*whole, whole[0]]) == [whole[0].cut]


def test_the_cuts_are_the_same_in_whatever_order_threads_asked() -> None:
    """Of a long row of like requests each is cut on one side, and on the same one each time."""
    photos = [Step("DELETE objects/images/{hash}.png", number) for number in range(1, 7)]
    known = all_cuts({"teardown": photos})

    assert known == all_cuts({"teardown": photos[::-1]})
    assert len(known) == len(photos)
    assert {one.side for one in known} == {BEFORE, AFTER}
