"""What `ops teardown` shows: what is to go, what went, and what stays."""

from __future__ import annotations

from collections.abc import Iterator

from ops.cli.cost_report import sum_text
from ops.workflows import bootstrap_words, teardown
from ops.workflows.records import Living

BY_HAND = (
    "No state has these permissions: an interrupted ops bootstrap gave them, or somebody by hand, "
    "which cannot be told apart. They go too:"
)
POOL = "Google keeps the name of a deleted identity pool for 30 days; ops bootstrap restores it."


def elsewhere(living: Living) -> str:
    """The warning that another stack lives, which may be billed."""
    return (
        f"Warning: stack {living.stack} also lives on {living.target}, in project "
        f"{living.project}, and may be billed; this does not delete it. Type: {living.teardown}"
    )


def nothing(stack: str, todo: teardown.Plan) -> str:
    """That there is nothing to delete."""
    if todo.keep and todo.bucket is not None:
        return f"Stack {stack} has nothing but its infrastructure, which is kept."
    return f"Stack {stack} has nothing: nothing to delete, nothing billed."


def what(stack: str, todo: teardown.Plan) -> str:
    """What the user is asked about."""
    return f"all of stack {stack}" + (" but its infrastructure" if todo.keep else "")


def plan(todo: teardown.Plan) -> Iterator[str]:
    """What is to go, and what only Terraform could delete where it is missing."""
    counts = _counts(todo)
    if counts:
        yield f"To delete: {counts}"
    made = todo.infrastructure
    if made is not None and made.missing is not None:
        yield f"Warning: what Terraform made will be left. {made.missing.message}"
    elif made is not None and made.going:
        yield f"To destroy, by Terraform: {_resources(len(made.going))}"
        yield from (f"  {line}" for line in bootstrap_words.grouped(made.going))
        if made.given_by_somebody:
            yield BY_HAND
            yield from (f"  {line.name}" for line in made.given_by_somebody)
        yield from bootstrap_words.lines(made.staying)


def done(stack: str, done: teardown.Done) -> str:
    """What went, what it had cost, what stays, and the proof."""
    lines = [f"Deleted: {_counts(done.plan)}."] if _counts(done.plan) else []
    made = done.plan.infrastructure
    if made is not None and made.going:
        forgot = f", and forgot {len(made.staying)} that stay" if made.staying else ""
        count = _resources(len(made.going))
        lines.append(f"Terraform destroyed {count}{forgot}; its state is deleted too.")
        lines += bootstrap_words.lines(made.staying)
        lines += [POOL] if made.has_pool else []
    if done.soft_deleted_until_seconds:
        days = done.soft_deleted_until_seconds / 86_400
        lines.append(f"The bucket kept deleted objects: they are billed for {days:g} days more.")
    if done.report is not None:
        here = "" if done.report.billed else " ($0.00 here)"
        lines.append(f"The cost: {sum_text(done.report)} at the rates of Google{here}.")
    if done.kept is not None:
        lines.append(f"The ledger and the cost report are in {done.kept}")
    return "\n".join([*lines, _proof(stack, done)])


def _proof(stack: str, done: teardown.Done) -> str:
    if not done.plan.keep:
        return f"Listed again: nothing of stack {stack} is left."
    return f"Listed again: nothing of stack {stack} is left but its infrastructure, which is kept."


def _counts(todo: teardown.Plan) -> str:
    counts = {**teardown.counted(todo.found), "deployed models": len(todo.deployed)}
    words = [f"{count} {_plural(title, count)}" for title, count in counts.items() if count]
    made = todo.infrastructure
    by_terraform = made is not None and (made.going or made.missing)
    if todo.objects or (todo.bucket and not by_terraform):
        words.append(f"{todo.objects:,} {_plural('objects', todo.objects)}")
    if todo.bucket is not None:
        words += [] if todo.keep or by_terraform else [f"bucket gs://{todo.bucket.name}"]
    return ", ".join(words)


def _resources(count: int) -> str:
    return f"{count} {_plural('resources', count)}"


def _plural(title: str, count: int) -> str:
    return title.removesuffix("s") if count == 1 else title
