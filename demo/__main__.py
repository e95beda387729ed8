"""A model's whole life, from bootstrap and import to teardown: `python -m demo [--data F]`."""

import argparse
import sys
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from demo.commands import Commands, StepError
from demo.digits import write_digits
from demo.summary import Example, Told, text
from demo.unseen import read_object, unseen_photos

FOLDER = Path(".ops/demo")
EXAMPLES = 3


def main() -> int:
    """0 when every step ended well and nothing is left; else the failing command's exit code."""
    parser = argparse.ArgumentParser(prog="make demo", description=__doc__)
    parser.add_argument("--data", type=Path, help="your own photos, in a folder per class")
    parser.add_argument("--target", choices=("local", "gcp"))
    parser.add_argument("--folder", type=Path, default=FOLDER, help="where the demo's cloud lies")
    options = parser.parse_args()
    folder = options.folder.absolute()
    try:
        told = tell(Commands(folder, options.target), options.data or digits(folder))
    except StepError as failure:
        print(f"\nThe demo stopped: {failure}. Mend it and type the same again.", file=sys.stderr)
        return failure.exit_code
    print("\n" + text(told))
    return 1 if told.left else 0


def digits(own: Path) -> Path:
    """A folder with 5,000 handwritten digits, written at the first demo."""
    folder = own / "digits"
    if not folder.is_dir():
        print("Writing 5,000 handwritten digits as PNG files ...", file=sys.stderr, flush=True)
    write_digits(folder)
    return folder


def tell(commands: Commands, photos: Path) -> Told:
    """The whole life of a model, step by step."""
    started = time.monotonic()
    commands.show("bootstrap", *commands.agreed)
    imported = commands.tell("import-dataset", str(photos))
    commands.show("train", "--mode", "automl")
    evaluated = commands.tell("evaluate")
    commands.show("deploy", "--ttl", "1h")
    examples = predict_unseen(commands, imported, photos)
    status = commands.tell("status")
    cost = commands.tell("cost-report")
    commands.show("teardown", "--unprotect", *commands.agreed)
    left = commands.run("status", quiet=True)
    if commands.target != "gcp":
        commands.run("emulator", "stop", quiet=True)
    return Told(
        imported=imported,
        evaluated=evaluated,
        examples=examples,
        usd_measured=float(cost["google_usd"]),
        usd_per_hour=float(status["usd_per_hour"]),
        usd_at_most=sum(line["estimate_usd"] or 0.0 for line in cost["lines"]),
        left=[str(one["name"]) for one in left["items"]],
        seconds=time.monotonic() - started,
    )


def predict_unseen(commands: Commands, imported: Mapping[str, Any], folder: Path) -> list[Example]:
    """What the endpoint answers for photos of the test split, which training never reads."""
    manifest = str(imported["manifest"])
    labels = manifest.replace("manifest.jsonl", "labels.txt")
    client = commands.storage_client()
    unseen = unseen_photos(
        read_object(client, manifest), read_object(client, labels), folder, EXAMPLES
    )
    answers = commands.tell("predict", *[str(photo.path) for photo in unseen])["predictions"]
    return [
        Example(photo.path.name, photo.label, answer["prediction"], answer["score"])
        for photo, answer in zip(unseen, answers, strict=True)
    ]


if __name__ == "__main__":
    sys.exit(main())
