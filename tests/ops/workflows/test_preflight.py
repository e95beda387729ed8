"""What is looked at before a command begins."""

from ops.cloud.session import Session
from ops.workflows import preflight


def test_on_local_nothing_is_looked_at(session: Session) -> None:
    """Not a client is made for it."""
    for command in ("import-dataset", "train", "deploy"):
        preflight.check(session, command)

    assert session._clients == {}


def test_every_permission_has_a_role_to_ask_for() -> None:
    """Whatever is missing, the hint can name what to grant."""
    wanted = preflight.needs()

    for permission in (*wanted.project, *wanted.bucket):
        assert preflight.role_of(permission).startswith("roles/")


def test_together_the_commands_need_what_each_needs() -> None:
    """Doctor looks at everything that any of the commands looks at."""
    together = set(preflight.needs().project)

    for command in ("import-dataset", "train", "deploy"):
        assert set(preflight.needs(command).project) <= together
