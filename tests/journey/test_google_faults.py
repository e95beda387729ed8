"""A network that fails and a service that is busy, on the way to Google."""

import json
from collections.abc import Iterator

import pytest

from tests.google_proxy import Fault
from tests.journey.google_journey import PROJECT, GoogleUser, google_user

STORAGE, VERTEX = r"storage\.googleapis\.com", r"us-central1-aiplatform\.googleapis\.com"
RESET = 0


@pytest.fixture(scope="module")
def user(tmp_path_factory: pytest.TempPathFactory) -> Iterator[GoogleUser]:
    """A user whose stack is prepared, and whom the server knows."""
    with google_user(tmp_path_factory.mktemp("google"), "--require-auth") as found:
        found.prepare()
        yield found


def test_what_passes_is_tried_again(user: GoogleUser) -> None:
    """An import in which every kind of call fails once or twice ends as if nothing had been."""
    user.proxy.faults += [
        Fault(f"GET {STORAGE}/storage/v1/b/", RESET, 2),
        Fault(f"POST {STORAGE}/upload/", 503, 2),
        Fault(f"POST {STORAGE}/upload/", RESET, 2),
        Fault(f"POST {STORAGE}/upload/", 401),
        Fault(f"POST {VERTEX}.*/datasets", 429, 2),
        Fault(f"GET {VERTEX}.*/operations/", 503),
        Fault(r"POST oauth2\.googleapis\.com/token", 503),
    ]

    result = user.result("import-dataset", "photos")

    assert user.proxy.faults == []
    assert (result["photos"], result["uploaded"]) == (36, 36)


def test_what_may_have_been_made_is_not_made_twice(user: GoogleUser) -> None:
    """A connection lost while a training is submitted: an error, and typed again it is taken up."""
    user.proxy.faults.append(Fault(f"POST {VERTEX}.*/trainingPipelines", RESET))

    lost = user.run("train", "--yes", "--json")
    done = user.result("train", "--yes")

    assert (lost.code, json.loads(lost.out)["error"]["code"]) == (6, "unreachable")
    assert done["state"] == "succeeded" and done["run"].endswith("-1")
    sent = [one for one in user.proxy.exchanges if one.method == "POST"]
    parent = f"/v1/projects/{PROJECT}/locations/us-central1/trainingPipelines"
    assert len([one for one in sent if one.target.startswith(parent)]) == 1
