"""What a training of AutoML image classification is asked to do, checked as Google checks it."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

from emulator.aiplatform import listing
from emulator.aiplatform.resources import field_errors
from emulator.errors import ApiError

Body = dict[str, Any]
DEFINITION_PREFIX = "gs://google-cloud-aiplatform/schema/trainingjob/definition/"
AUTOML_TASK = "automl_image_classification"
AUTOML_DEFINITION = f"{DEFINITION_PREFIX}{AUTOML_TASK}_1.0.0.yaml"
# automl_image_classification.proto and "Train an image classification model" (read 2026-08-22).
CLOUD_BUDGET = (8_000, 800_000, 192_000)
MOBILE_BUDGET = (1_000, 100_000, 24_000)
MODEL_TYPES = (
    "CLOUD",
    "CLOUD_1",
    "MOBILE_TF_LOW_LATENCY_1",
    "MOBILE_TF_VERSATILE_1",
    "MOBILE_TF_HIGH_ACCURACY_1",
)
KNOWN_INPUTS = frozenset(
    [
        "modelType",
        "budgetMilliNodeHours",
        "disableEarlyStopping",
        "multiLabel",
        "baseModelId",
        "uptrainBaseModelId",
        "tunableParameter",
    ]
)
SPLITS = (
    "fractionSplit",
    "filterSplit",
    "predefinedSplit",
    "timestampSplit",
    "stratifiedSplit",
)
FRACTIONS = ("trainingFraction", "validationFraction", "testFraction")
FIELD = "training_pipeline.training_task_inputs"


@dataclass(frozen=True)
class AutomlInputs:
    """The inputs with defaults filled in; the budget is in thousandths of a node hour."""

    model_type: str
    budget_milli_node_hours: int
    multi_label: bool
    disable_early_stopping: bool

    @property
    def is_mobile(self) -> bool:
        """Whether the model is for devices, which has its own price and budget."""
        return self.model_type.startswith("MOBILE_")

    def to_json(self) -> Body:
        """As Google echoes them: the budget, an int64, is a string."""
        return {
            "modelType": self.model_type,
            "budgetMilliNodeHours": str(self.budget_milli_node_hours),
            "multiLabel": self.multi_label,
            "disableEarlyStopping": self.disable_early_stopping,
        }


def automl_inputs(sent: Body) -> AutomlInputs:
    """The checked inputs. INVALID_ARGUMENT for an unknown key, model type or budget."""
    for key in sent:
        if key not in KNOWN_INPUTS:
            raise field_errors([(FIELD, f'Unknown name "{key}": Cannot find field.')])
    model_type = str(sent.get("modelType") or "CLOUD")
    if model_type not in MODEL_TYPES:
        message = f"Unsupported model type {model_type!r}. Expected: {', '.join(MODEL_TYPES)}."
        raise field_errors([(f"{FIELD}.model_type", message)])
    budget = _budget(sent.get("budgetMilliNodeHours"), model_type)
    return AutomlInputs(
        model_type, budget, bool(sent.get("multiLabel")), bool(sent.get("disableEarlyStopping"))
    )


def _budget(sent: Any, model_type: str) -> int:
    least, most, default = MOBILE_BUDGET if model_type.startswith("MOBILE_") else CLOUD_BUDGET
    if sent is None:
        return default
    try:
        budget = int(sent)
    except (TypeError, ValueError):
        budget = 0
    if not least <= budget <= most:
        message = (
            f"The train budget must be between {least:,} and {most:,} milli node hours, inclusive. "
            f"Received: {sent}."
        )
        raise field_errors([(f"{FIELD}.budget_milli_node_hours", message)])
    return budget


def check_split(config: Body) -> None:
    """Raises INVALID_ARGUMENT for more than one split, fractions that are none, or a bad filter."""
    listing.matcher(config.get("annotationsFilter", ""), "annotations")
    given = [name for name in SPLITS if name in config]
    if len(given) > 1:
        raise ApiError("INVALID_ARGUMENT", f"Only one split may be set. Received: {given}.")
    for name in ("timestampSplit", "stratifiedSplit"):
        if name in config:
            raise ApiError("INVALID_ARGUMENT", f"{name} is only supported for tabular datasets.")
    if "fractionSplit" in config:
        fractions = [float(config["fractionSplit"].get(name, 0)) for name in FRACTIONS]
        is_whole = math.isclose(sum(fractions), 1, abs_tol=1e-6)
        if min(fractions) < 0 or not is_whole:
            message = f"The fractions of the split must sum to 1. Received: {fractions}."
            raise ApiError("INVALID_ARGUMENT", message)
