"""One prediction through the endpoint, warm: a photo of 30 KB and one of 1 MB."""

import io
import random
import statistics
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from bench.local import CLOTHING, Local, local
from bench.table import Figure, show

WARM_UP = 5
ROUNDS = 40
SIZES = ((30_000, 25), (1_000_000, 120))


def photo_of(size_bytes: int) -> bytes:
    """A JPEG of about so many bytes: a smooth picture with noise, as wide as that takes."""
    from PIL import Image

    side = 64
    while True:
        small = Image.frombytes("RGB", (16, 16), random.Random(0).randbytes(768))
        smooth = small.resize((side, side), Image.Resampling.BICUBIC)
        grain = Image.effect_noise((side, side), 40).convert("RGB")
        out = io.BytesIO()
        Image.blend(smooth, grain, 0.3).save(out, "JPEG", quality=90)
        if out.tell() >= size_bytes:
            return out.getvalue()
        side = int(side * 1.1)


def median_ms(call: Callable[[], Any]) -> float:
    """The median time of a call after some that are not counted."""
    times = []
    for _ in range(WARM_UP + ROUNDS):
        started = time.perf_counter()
        call()
        times.append((time.perf_counter() - started) * 1000)
    return statistics.median(times[WARM_UP:])


def caller(cloud: Local, endpoint: str, photo: bytes) -> Callable[[], Any]:
    """A prediction of this photo with Google's generated client."""
    from google.auth.credentials import AnonymousCredentials
    from google.cloud import aiplatform_v1

    from ops.cloud import instances
    from ops.cloud.endpoints import to_value

    client = aiplatform_v1.PredictionServiceClient(
        transport="rest",
        credentials=AnonymousCredentials(),  # type: ignore[no-untyped-call]
        client_options={"api_endpoint": cloud.url},
    )
    value = to_value(instances.instance("automl", photo, ""))
    return lambda: client.predict(endpoint=endpoint, instances=[value])


def served(cloud: Local, photos: Path) -> str:
    """The endpoint of a model trained on these photos."""
    cloud.ops("import-dataset", str(photos))
    cloud.ops("train")
    return str(cloud.ops("deploy")["endpoint"])


def photos(folder: Path) -> Path:
    """The clothing photos; digits where they are not there."""
    if CLOTHING.is_dir():
        return CLOTHING
    from demo.digits import write_digits

    write_digits(folder, limit_per_class=100)
    return folder


def main() -> None:
    """Print both medians."""
    with local() as cloud:
        endpoint = served(cloud, photos(cloud.folder / "digits"))
        figures = []
        for size_bytes, target_ms in SIZES:
            photo = photo_of(size_bytes)
            found = median_ms(caller(cloud, endpoint, photo))
            figures.append(
                Figure(
                    f"one prediction, a photo of {len(photo) / 1000:,.0f} KB, median of {ROUNDS}",
                    f"{found:.1f} ms",
                    f"<= {target_ms} ms",
                    found <= target_ms,
                )
            )
    show("predict", figures)


if __name__ == "__main__":
    main()
