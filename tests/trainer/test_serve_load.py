"""The prediction server under more than it can do, and ended in the midst of it."""

import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from bench.keras_server import classifier
from bench.open_loop import OpenLoop, body_of
from tests.trainer.served import PREDICT, SECONDS, Server, write_served

Maker = Callable[..., bytes]
WAITING = 8
MIB = 1 << 20


@pytest.fixture(scope="module")
def lite(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of a model whose photos take milliseconds: Lite0, mirrored, a seeded head."""
    return write_served(tmp_path_factory.mktemp("lite"), classifier(mirrored=True))


@pytest.fixture(scope="module")
def photos(photo_bytes: Maker) -> list[bytes]:
    """Six photos that a network tells apart."""
    return [photo_bytes(size=(300 + 37 * number, 260)) for number in range(6)]


@pytest.fixture
def server(lite: Path) -> Iterator[Server]:
    """Lite0, served, with room for a few photos."""
    with Server(str(lite), TRAINER_SERVE_MAX_WAITING_PHOTOS=str(WAITING)) as made:
        yield made.wait()


def seconds_a_photo(server: Server, photos: list[bytes]) -> float:
    """How long a photo takes whoever comes alone."""
    started = time.monotonic()
    for photo in photos:
        assert server.request("POST", PREDICT, body_of(photo))[0] == 200
    return (time.monotonic() - started) / len(photos)


def test_too_many_requests_are_answered_rightly_or_refused_at_once(
    server: Server, photos: list[bytes]
) -> None:
    """Two seconds at several times its capacity: each answer its own, each 503 with Retry-After."""
    resident: list[int] = []
    rate = 6 / seconds_a_photo(server, photos)
    look = lambda: resident.append(server.resident_bytes())  # noqa: E731

    answers = OpenLoop(server.port, PREDICT, photos, min(rate, 600), 2, look).run()

    assert {one.status for one in answers} == {200, 503}
    assert all(one.right for one in answers)
    assert all(one.retry_after.isdigit() for one in answers if one.status == 503)
    assert resident[-1] - resident[0] < 32 * MIB
    assert server.health() == 200
    assert server.request("POST", PREDICT, body_of(photos[0]))[0] == 200


def test_what_was_accepted_before_sigterm_is_answered(lite: Path, photos: list[bytes]) -> None:
    """Of thirty requests that are there when it comes each has its answer; then the server ends."""
    known: dict[int, int] = {}
    first = threading.Event()

    def ask(server: Server, number: int) -> None:
        known[number] = server.request("POST", PREDICT, body_of(photos[number % 6]))[0]
        first.set()

    with Server(str(lite)) as server:
        server.wait()
        threads = [threading.Thread(target=ask, args=(server, number)) for number in range(30)]
        for thread in threads:
            thread.start()
        assert first.wait(SECONDS)
        code = server.stop()
        for thread in threads:
            thread.join(SECONDS)

    assert code == 0
    assert len(known) == 30
    assert set(known.values()) <= {200, 503}
    assert list(known.values()).count(200) > 1


def test_many_photos_at_once_do_not_hold_up_one(lite: Path, photos: list[bytes]) -> None:
    """A request of one is answered while one of forty is still being worked on."""
    many = b'{"instances": [' + b", ".join(
        body_of(photo)[len(b'{"instances": [') : -2] for photo in photos * 7
    )
    ended: list[float] = []

    def ask(server: Server) -> None:
        assert server.request("POST", PREDICT, many + b"]}")[0] == 200
        ended.append(time.monotonic())

    with Server(str(lite)) as server:
        server.wait()
        thread = threading.Thread(target=ask, args=(server,))
        thread.start()
        time.sleep(2 * seconds_a_photo(server, photos[:1]))
        status = server.request("POST", PREDICT, body_of(photos[0]))[0]
        answered = time.monotonic()
        thread.join(SECONDS)

    assert status == 200
    assert answered < ended[0]
