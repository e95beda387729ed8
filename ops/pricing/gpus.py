"""Accelerators by name, and the quotas of Vertex AI that they count against (gpus.toml)."""

from __future__ import annotations

import tomllib
from dataclasses import dataclass
from difflib import get_close_matches
from functools import cache
from importlib.resources import files
from typing import Any

from ops.errors import Code, OpsError

MAKER = "NVIDIA_"
SUFFIX = "PerProjectPerRegion"
# Parts of id and metric by (serving, spot); Google says preemptible where ops says spot.
USES = {
    (False, False): ("CustomModelTraining", "custom_model_training_"),
    (False, True): ("CustomModelTrainingPreemptible", "custom_model_training_preemptible_"),
    (True, False): ("CustomModelServing", "custom_model_serving_"),
    (True, True): ("CustomModelServingPreemptible", "custom_model_serving_preemptible_"),
}
CPUS = ("CPUs", "cpus")


@dataclass(frozen=True)
class QuotaName:
    """The id of a quota in Cloud Quotas, and its metric without `aiplatform.googleapis.com/`."""

    id: str
    metric: str


def full_name(accelerator: str) -> str:
    """Vertex AI's type of `T4`, `l4`, `A100_80GB` or the type itself; USAGE when there is none."""
    wanted = accelerator.upper().replace("-", "_")
    for name in _table():
        short = name.removeprefix(MAKER).removeprefix("TESLA_")
        if wanted in (name, short, short.split("_")[0]):
            return name
    near = get_close_matches(wanted, _table(), n=1, cutoff=0.3) or list(_table())
    known = ", ".join(name.removeprefix(MAKER).removeprefix("TESLA_") for name in _table())
    raise OpsError(
        Code.USAGE,
        f"Accelerators are {known}. Received: {accelerator}.",
        f"Type --accelerator {near[0]}",
    )


def quota(accelerator: str, *, serving: bool, spot: bool) -> QuotaName:
    """The quota of an accelerator for a use; of the CPUs of N1 machines without an accelerator."""
    row = _table()[accelerator] if accelerator else dict(zip(("id", "metric"), CPUS, strict=True))
    id_start, metric_start = USES[serving, spot]
    return QuotaName(f"{id_start}{row['id']}{SUFFIX}", f"{metric_start}{row['metric']}")


def on_n1(accelerator: str) -> bool:
    """Whether it is added to an N1 machine, which no accelerator at all is too."""
    return not accelerator or bool(_table()[accelerator].get("on_n1"))


@cache
def _table() -> dict[str, Any]:
    text = files("ops.pricing").joinpath("gpus.toml").read_text(encoding="utf-8")
    return tomllib.loads(text)
