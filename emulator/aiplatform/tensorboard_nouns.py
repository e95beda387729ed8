"""The four kinds of TensorboardService, one inside the other."""

from __future__ import annotations

import re

from emulator.aiplatform.nouns import Noun

# CreateTensorboardRunRequest.tensorboard_run_id: "1-128 characters … /[a-z][0-9]-/".
_ID = re.compile(r"[a-z0-9-]{1,128}")

TENSORBOARD = Noun(
    "Tensorboard",
    "tensorboards",
    "tensorboards",
    "tensorboard",
    ("displayName", "description", "labels", "isDefault", "encryptionSpec"),
    ("displayName", "description", "labels", "isDefault"),
    re.compile(r"\d{1,20}"),
)
EXPERIMENT = Noun(
    "TensorboardExperiment",
    "experiments",
    "tensorboardExperiments",
    "tensorboardExperiment",
    ("displayName", "description", "labels", "source"),
    ("displayName", "description", "labels"),
    _ID,
)
RUN = Noun(
    "TensorboardRun",
    "runs",
    "tensorboardRuns",
    "tensorboardRun",
    ("displayName", "description", "labels"),
    ("displayName", "description", "labels"),
    _ID,
)
SERIES = Noun(
    "TensorboardTimeSeries",
    "timeSeries",
    "tensorboardTimeSeries",
    "tensorboardTimeSeries",
    ("displayName", "description", "valueType", "pluginName", "pluginData"),
    ("displayName", "description", "pluginData"),
    re.compile(r"[a-z0-9][a-z0-9-]{0,127}"),
)
