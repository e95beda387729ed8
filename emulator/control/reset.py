"""Back to an empty cloud, with the same port, account and settings."""

from __future__ import annotations

from emulator.cloud import Cloud
from emulator.iam import keys
from emulator.storage import resumable


def reset(cloud: Cloud) -> None:
    """Stops jobs and servers, then forgets every row and every byte."""
    cloud.faults.clear()
    cloud.jobs.remove_all()
    with cloud.store.transaction() as db:
        names = [
            row[0]
            for row in db.execute(
                "SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT LIKE 'sqlite_%'"
            )
        ]
        db.execute("PRAGMA defer_foreign_keys=ON")
        for name in names:
            db.execute(f'DELETE FROM "{name}"')
        cloud.store.after_commit(cloud.blobs.sweep)
    resumable.sweep(cloud)
    keys.forget_all(cloud)
    cloud.jobs.resume()  # what watches the clock goes on
