"""How far a Keras peer came, and when: its curve, without the time that looking at test takes."""

import json
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any


@dataclass(frozen=True)
class Point:
    """Accuracy on validation and test after so many seconds since the process began."""

    phase: str
    seconds: float
    validation: float
    test: float


@dataclass
class Course:
    """The points of one run. Whatever is done `aside` does not count: the peer would not do it."""

    points: list[Point] = field(default_factory=list)
    aside_seconds: float = 0.0

    def seconds(self) -> float:
        """Since this process began, imports and all."""
        import psutil

        began: float = psutil.Process().create_time()
        return time.time() - began - self.aside_seconds

    def aside(self, work: Callable[[], Any]) -> Any:
        """What the work gives, its time not counted."""
        started = time.perf_counter()
        result = work()
        self.aside_seconds += time.perf_counter() - started
        return result

    def reached(self, phase: str, validation: float, test: Callable[[], float]) -> None:
        """One more point of the curve."""
        seconds = round(self.seconds(), 2)
        accuracy = self.aside(test)
        self.points.append(Point(phase, seconds, round(validation, 5), round(accuracy, 5)))
        print(f"{phase}: {seconds:.1f} s, validation {validation:.4f}, test {accuracy:.4f}")

    def write(self, file: Path) -> None:
        """The points, and the seconds at the end."""
        content = {
            "points": [asdict(point) for point in self.points],
            "seconds": round(self.seconds(), 2),
        }
        file.write_text(json.dumps(content))


@dataclass(frozen=True)
class Photos:
    """Files and label numbers of one split."""

    paths: list[str]
    labels: list[int]


def read_photos(file: Path) -> tuple[dict[str, Photos], int]:
    """The photos of each split, of a JSON object split → [[path, label], …]; how many labels."""
    rows: Mapping[str, Sequence[tuple[str, str]]] = json.loads(file.read_text())
    names = sorted({label for own in rows.values() for _, label in own})
    number = {name: place for place, name in enumerate(names)}
    photos = {
        split: Photos([path for path, _ in own], [number[label] for _, label in own])
        for split, own in rows.items()
    }
    return photos, len(names)


def chosen(points: Sequence[Point]) -> Point:
    """The checkpoint that validation chooses: the first of the best."""
    return max(points, key=lambda point: (point.validation, -point.seconds))
