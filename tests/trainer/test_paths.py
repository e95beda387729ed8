"""`trainer.paths`: one mapping from gs:// to files."""

from pathlib import Path

import pytest

from trainer.errors import ConfigError
from trainer.paths import local_path, matching_files, mount_point


def test_a_uri_is_a_file_below_the_mount() -> None:
    """Bucket and object become folders below $GCS_MOUNT, and /gcs is the default as on Google."""
    assert local_path("gs://b/a/c.jpg", Path("/m")) == Path("/m/b/a/c.jpg")
    assert local_path("gs://b/", Path("/m")) == Path("/m/b")
    assert local_path("/plain/file", Path("/m")) == Path("/plain/file")
    assert mount_point({}) == Path("/gcs")
    assert mount_point({"GCS_MOUNT": "/m"}) == Path("/m")


@pytest.mark.parametrize("uri", ["gs://", "gs:///o", "gs://b/../x", "gs://../x", "https://x/y"])
def test_a_uri_that_leaves_its_bucket_is_refused(uri: str) -> None:
    """No URI reaches a file outside the mount, and other schemes are named."""
    with pytest.raises(ConfigError, match="Received: "):
        local_path(uri, Path("/m"))


def test_a_wildcard_names_the_shards_in_order(tmp_path: Path) -> None:
    """`training-*` finds every shard, sorted; a name without one finds itself or nothing."""
    for name in ("training-1.jsonl", "training-0.jsonl", "test-0.jsonl"):
        (tmp_path / "b").mkdir(exist_ok=True)
        (tmp_path / "b" / name).write_text("")

    found = matching_files("gs://b/training-*", tmp_path)

    assert [path.name for path in found] == ["training-0.jsonl", "training-1.jsonl"]
    assert matching_files("gs://b/none.jsonl", tmp_path) == []
