"""A training that failed or was cancelled: why, what it cost, and what to type."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any, NoReturn

from ops.cloud.training import Pipeline
from ops.errors import Code, OpsError
from ops.ledger import Run, RunState
from ops.workflows.local_process import entry
from ops.workflows.train_options import CUSTOM

# How the API's reason for a failed custom job goes on: a link to the console's logs.
CONSOLE = "To find out more about why your job exited"
AGAIN = "Type the same command again to train anew."
CHANGE = (
    "The same command would end the same way: change what is named here (a flag, the photos, the "
    "image), then train anew."
)
CANCELLED = "PIPELINE_STATE_CANCELLED"
# Whether Google bills what a training used that left no model. AutoML: the price page (undated);
# custom jobs are billed by the time their machines run (training/understanding-training-service).
BILLED = {
    ("automl", False): "Google does not bill a training that failed.",
    ("automl", True): "Google bills what a cancelled training used.",
    ("custom", False): "Google bills the time that its machine ran.",
    ("custom", True): "Google bills the time that its machine ran.",
}
# No quota or no machine, whichever trainer it is for: words, and what to type by mode. Texts:
# vertex.md, 5.1 and 3.3 (read 2026-08-22, field reports 2025-26).
CAPACITY: tuple[tuple[tuple[str, ...], dict[str, str]], ...] = (
    (
        ("exceed quota", "quota limits", "quota exceeded"),
        {
            "automl": "Ask for more quota in the console (IAM, Quotas), then type it again.",
            "custom": "Ask for more quota in the console (IAM, Quotas), or type another --machine.",
        },
    ),
    (
        ("stockout", "resources are insufficient", "does not have enough resources"),
        {
            "automl": "Google has no machine free for it now: type it again later.",
            "custom": "Google has no such machine free now: type it again later, or another "
            "--machine.",
        },
    ),
)
# Words in the error or the last log lines → code and what to type; the first that fits.
REASONS: tuple[tuple[tuple[str, ...], Code, str], ...] = (
    (
        ("cannot be pulled", "Failed to pull", "ImagePull", "image not found", "manifest unknown"),
        Code.JOB_FAILED,
        "Push the image, or name one that is there: --image REGION-docker.pkg.dev/PROJECT/…",
    ),
    (
        (
            "out of memory",
            "out-of-memory",
            "ran out of memory",
            "OutOfMemory",
            "exit code 137",
            "status of 137",
            "code -9",
        ),
        Code.JOB_FAILED,
        "If memory was short, type a smaller --batch-size or --image-size, or a larger --machine.",
    ),
    (
        ("timed out", "time limit", "timeout", "deadline", "DEADLINE_EXCEEDED"),
        Code.JOB_FAILED,
        "Type a larger --max-minutes or --max-cost: it goes on from its last checkpoint.",
    ),
    (
        ("The exported graph gives the same label",),
        Code.JOB_FAILED,
        "The same command would end the same way: type another --model-type or --seed, or save the "
        "photos anew as JPEG or PNG in RGB.",
    ),
)
# 137 is 128 + SIGKILL: whoever sent it, the job's error calls it out-of-memory.
SIGKILL = re.compile(r"(?:ran out-of-memory and )?exited with a non-zero status of 137\b")
KILLED = "was killed (exit code 137), most often for want of memory"
# What a repeat may mend: a fault of Google's, a machine taken away, a process that was ended.
PASSING = (
    "nternal error",
    "INTERNAL",
    "UNAVAILABLE",
    "preempted",
    "was lost",
    "status of 143",
    "code 143",
    "code -",
)


def settle(run: Run, ended: Pipeline, used: Mapping[str, Any], last_words: str) -> NoReturn:
    """Put the end on record, with what it cost; then JOB_FAILED, or QUOTA.

    `last_words` are the last error of its log, told if the API's own reason does not have them.
    """
    cancelled = ended.state == CANCELLED
    state = RunState.CANCELLED if cancelled else RunState.FAILED
    run.finish({"pipeline": ended.name, "error": ended.error, **used}, state)
    said = _one_line(ended.error)
    if last_words and not cancelled and _one_line(last_words) not in said:
        said = f"{said.rstrip('.')}. It said last: {_one_line(last_words)}"
    raise error(run, said, cancelled, used)


def error(run: Run, said: str, cancelled: bool, used: Mapping[str, Any]) -> OpsError:
    """The failure as the user reads it; `said` is what the API gives as its reason."""
    mode = str(run.plan["inputs"]["mode"])
    why = f": {said.rstrip('.')}." if said else "."
    usd = used.get("usd_on_google")
    most = "at most " if used.get("usd_is_most") else ""
    cost = f" That is {most}${usd:.4f} at Google's rates." if usd is not None else ""
    code, hint = (Code.JOB_FAILED, AGAIN) if cancelled else reason(said, mode)
    logs = f"\nType: ops logs {run.id}   to read what it said" if mode == CUSTOM else ""
    return OpsError(
        code,
        f"The training {run.id} {'was cancelled' if cancelled else 'failed'}{why} "
        f"{BILLED[mode, cancelled]}{cost}",
        hint + logs,
    )


def _one_line(said: str) -> str:
    return SIGKILL.sub(KILLED, " ".join(said.partition(CONSOLE)[0].split()))


def last_words(lines: Sequence[str]) -> str:
    """What a trainer said when it failed: its last ERROR, else the last line that is not empty."""
    said = [entry(line) for line in lines if line.strip()]
    errors = [one for one in said if one.get("severity") in ("ERROR", "CRITICAL")]
    return str((errors or said or [{}])[-1].get("message", ""))


def reason(said: str, mode: str = CUSTOM) -> tuple[Code, str]:
    """What kind of failure these words tell of, and what to type.

    A trainer's own sentence is of its photos and flags, which a repeat would not change. AutoML
    has none of the flags that `REASONS` names.
    """
    for words, hints in CAPACITY:
        if any(word in said.lower() for word in words):
            return Code.QUOTA, hints[mode]
    for words, code, hint in REASONS if mode == CUSTOM else ():
        if any(word in said for word in words):
            return code, hint
    passing = not said or any(word in said for word in PASSING)
    return Code.JOB_FAILED, AGAIN if passing else CHANGE
