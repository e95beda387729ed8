"""`ops teardown`."""

from __future__ import annotations

from datetime import UTC, datetime

from ops.cli.call import Call, Outcome, command, commands
from ops.cli.cost_report import sum_text
from ops.workflows import records
from ops.workflows import teardown as workflow

app = commands()


@command(
    app,
    "teardown",
    asks=True,
    examples=("ops teardown", "ops teardown --target gcp --project my-project --yes"),
)
def teardown(call: Call) -> Outcome:
    """Delete everything of the stack and prove that nothing billable is left."""
    for living in records.elsewhere(call.settings):
        call.say(_elsewhere(living))
    todo = workflow.plan(call.session)
    if todo.empty:
        records.forget(call.settings)
        nothing = f"Stack {call.settings.stack} has nothing: nothing to delete, nothing billed."
        return Outcome({"deleted": {}, "left": []}, nothing)
    what = _counts(todo)
    call.say(f"To delete: {what}")
    call.confirm_deletion(f"all of stack {call.settings.stack}")
    done = workflow.run(call.ledger, todo, call.progress, lambda: datetime.now(UTC))
    return Outcome(done.as_json(), _text(call.settings.stack, what, done))


def _elsewhere(living: records.Living) -> str:
    return (
        f"Warning: stack {living.stack} also lives on {living.target}, in project "
        f"{living.project}, and may be billed; this does not delete it. Type: {living.teardown}"
    )


def _counts(todo: workflow.Plan) -> str:
    counts = {**workflow.counted(todo.found), "deployed models": len(todo.deployed)}
    words = [f"{count} {_plural(title, count)}" for title, count in counts.items() if count]
    if todo.bucket is not None:
        words.append(f"{todo.objects:,} {_plural('objects', todo.objects)}")
        words.append(f"bucket gs://{todo.bucket.name}")
    return ", ".join(words)


def _plural(title: str, count: int) -> str:
    return title.removesuffix("s") if count == 1 else title


def _text(stack: str, what: str, done: workflow.Done) -> str:
    lines = [f"Deleted: {what}."]
    if done.soft_deleted_until_seconds:
        days = done.soft_deleted_until_seconds / 86_400
        lines.append(f"The bucket kept deleted objects: they are billed for {days:g} days more.")
    if done.report is not None:
        here = "" if done.report.billed else " ($0.00 here)"
        lines.append(f"The cost: {sum_text(done.report)} at the rates of Google{here}.")
    if done.kept is not None:
        lines.append(f"The ledger and the cost report are in {done.kept}")
    return "\n".join([*lines, f"Listed again: nothing of stack {stack} is left."])
