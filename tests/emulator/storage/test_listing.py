"""Lists: prefix, delimiter, pages, offsets, and their order."""

from __future__ import annotations

from collections.abc import Iterator
from uuid import uuid4

import httpx
import pytest
from google.cloud.storage import Bucket, Client
from hypothesis import given
from hypothesis import settings as examples
from hypothesis import strategies as st

from emulator.app import close_cloud, open_cloud
from emulator.cloud import Cloud, ServerSettings
from emulator.storage import buckets, listing, objects
from emulator.storage.names import successor
from emulator.store.blobs import BlobRef

NAMES = ["a.txt", "a/1", "a/2", "a/b/1", "b/1", "c", "日本/1", "日本/2"]


@pytest.fixture
def filled(bucket: Bucket) -> Bucket:
    """A bucket of NAMES."""
    for name in reversed(NAMES):
        bucket.blob(name).upload_from_string(name)
    return bucket


def test_names_come_in_the_order_of_their_bytes(filled: Bucket) -> None:
    """A list is sorted by UTF-8, whatever the order of writing."""
    assert [blob.name for blob in filled.list_blobs()] == sorted(NAMES, key=str.encode)


@pytest.mark.parametrize(
    ("prefix", "names", "folders"),
    [
        ("", ["a.txt", "c"], {"a/", "b/", "日本/"}),
        ("a", ["a.txt"], {"a/"}),
        ("a/", ["a/1", "a/2"], {"a/b/"}),
        ("日本/", ["日本/1", "日本/2"], set()),
        ("nothing", [], set()),
    ],
)
def test_folders(filled: Bucket, prefix: str, names: list[str], folders: set[str]) -> None:
    """With a delimiter, what lies deeper is one common prefix."""
    found = filled.list_blobs(prefix=prefix, delimiter="/")

    assert [blob.name for blob in found] == names
    assert found.prefixes == folders


def test_pages(filled: Bucket, http: httpx.Client) -> None:
    """Pages hold objects and prefixes together, follow each other, and end without a token."""
    query = "delimiter=/&maxResults=2"
    path = f"/storage/v1/b/{filled.name}/o"

    pages, token = [], ""
    while True:
        page = http.get(f"{path}?{query}&pageToken={token}").json()
        names = [item["name"] for item in page.get("items", [])] + page.get("prefixes", [])
        pages.append(sorted(names))
        token = page.get("nextPageToken", "")
        if not token:
            break

    assert pages == [["a.txt", "a/"], ["b/", "c"], ["日本/"]]


def test_offsets(filled: Bucket) -> None:
    """startOffset is included, endOffset is not."""
    found = filled.list_blobs(start_offset="a/2", end_offset="c")

    assert [blob.name for blob in found] == ["a/2", "a/b/1", "b/1"]


@pytest.mark.parametrize(
    ("glob", "names"),
    [
        ("a/*", ["a/1", "a/2"]),
        ("a/**", ["a/1", "a/2", "a/b/1"]),
        ("**/1", ["a/1", "a/b/1", "b/1", "日本/1"]),
        ("{a,b}/?", ["a/1", "a/2", "b/1"]),
        ("a/[!1]", ["a/2"]),
        ("a.txt", ["a.txt"]),
        ("*", ["a.txt", "c"]),
    ],
)
def test_globs(filled: Bucket, glob: str, names: list[str]) -> None:
    """A glob filters names, across pages too."""
    found = filled.list_blobs(match_glob=glob, page_size=2)

    assert [blob.name for blob in found] == names


@pytest.mark.parametrize("glob", ["{a", "a}", "[z-a]"])
def test_a_glob_that_is_none(bucket: Bucket, http: httpx.Client, glob: str) -> None:
    """Braces that do not close and sets that are none are 400."""
    path = f"/storage/v1/b/{bucket.name}/o"
    assert http.get(path, params={"matchGlob": glob}).status_code == 400


def test_parameters_that_change_nothing_are_taken(filled: Bucket) -> None:
    """versions, projection and fields are taken together, as Terraform and the client send them."""
    found = filled.list_blobs(versions=True, projection="full", fields="items(name),nextPageToken")

    assert len(list(found)) == len(NAMES)


@pytest.mark.parametrize("value", ["true", "True"])
def test_folders_that_are_objects(bucket: Bucket, http: httpx.Client, value: str) -> None:
    """With includeTrailingDelimiter an object of a folder's own name is an item too."""
    for name in ("a", "b/", "b/c", "d/e"):
        bucket.blob(name).upload_from_string(name)
    query = {"delimiter": "/", "includeTrailingDelimiter": value}

    page = http.get(f"/storage/v1/b/{bucket.name}/o", params=query).json()

    assert [item["name"] for item in page["items"]] == ["a", "b/"]
    assert page["prefixes"] == ["b/", "d/"]


def test_managed_folders_as_prefixes(client: Client, http: httpx.Client) -> None:
    """Empty folders are among the prefixes where they are asked for, in order, page by page."""
    uniform = {"uniformBucketLevelAccess": {"enabled": True}}
    body = {"name": f"bucket-{uuid4().hex[:12]}", "iamConfiguration": uniform}
    path = f"/storage/v1/b/{body['name']}"
    http.post("/storage/v1/b?project=p", json=body).raise_for_status()
    for name in ("a/", "m/", "m/n/", "z/"):
        http.post(f"{path}/managedFolders", json={"name": name}).raise_for_status()
    for name in ("a/1", "b", "m/o/1"):
        client.bucket(body["name"]).blob(name).upload_from_string("")

    def prefixes(**query: str) -> list[str]:
        found: list[str] = []
        while True:
            page = http.get(f"{path}/o", params={"delimiter": "/", **query}).json()
            found += page.get("prefixes", [])
            if "nextPageToken" not in page:
                return found
            query["pageToken"] = page["nextPageToken"]

    assert prefixes() == ["a/", "m/"]
    for size in ("1", "2", "1000"):
        everything = prefixes(includeFoldersAsPrefixes="true", maxResults=size)
        assert everything == ["a/", "m/", "z/"]
        within = prefixes(includeFoldersAsPrefixes="true", prefix="m/", maxResults=size)
        assert within == ["m/n/", "m/o/"]


def test_globs_choose_prefixes_too(filled: Bucket) -> None:
    """With a delimiter a glob is asked of common prefixes as of names."""
    found = filled.list_blobs(match_glob="{a*,b*/}", delimiter="/")

    assert [blob.name for blob in found] == ["a.txt"]
    assert found.prefixes == {"b/"}


@pytest.mark.parametrize("query", ["maxResults=0", "maxResults=x", "pageToken=%2B%2B"])
def test_numbers_and_tokens_that_are_none(bucket: Bucket, http: httpx.Client, query: str) -> None:
    """A page size or token that is not one is 400."""
    assert http.get(f"/storage/v1/b/{bucket.name}/o?{query}").status_code == 400


def test_an_empty_bucket_has_no_items(bucket: Bucket, http: httpx.Client) -> None:
    """Keys of empty lists are left out, as Google does."""
    assert http.get(f"/storage/v1/b/{bucket.name}/o").json() == {"kind": "storage#objects"}


@pytest.fixture(scope="module")
def cloud(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cloud]:
    """A cloud in this process, for many small lists."""
    settings = ServerSettings(data_dir=tmp_path_factory.mktemp("listing"), memory=True)
    cloud = open_cloud(settings)
    yield cloud
    close_cloud(cloud)


TEXT = st.text(alphabet="ab/\U0010ffff", min_size=1, max_size=5)


@examples(max_examples=60, deadline=None)
@given(
    names=st.sets(TEXT, max_size=12),
    prefix=st.text(alphabet="ab/", max_size=2),
    delimiter=st.sampled_from(["", "/", "ab"]),
    limit=st.integers(1, 4),
)
def test_pages_together_are_the_whole_list(
    cloud: Cloud, names: set[str], prefix: str, delimiter: str, limit: int
) -> None:
    """Whatever the page size, the pages together have each name and prefix once, in order."""
    fill(cloud, names)
    expected_names, expected_folders = expected(names, prefix, delimiter)

    found_names: list[str] = []
    found_folders: list[str] = []
    start: tuple[str, int] | None = (prefix, 0)
    while start is not None:
        question = listing.Question(prefix, delimiter, start, successor(prefix) or "", limit)
        page = listing.list_objects(cloud, "many", question)
        assert page.size() <= limit
        found_names += [row.name for row in page.objects]
        found_folders += page.prefixes
        start = page.next_place

    assert found_names == expected_names
    assert found_folders == expected_folders


def test_a_page_that_finds_little_ends_early(cloud: Cloud) -> None:
    """A rare match among much is found over several pages, so that none takes long."""
    fill(cloud, {f"n{number:03}" for number in range(300)} | {"zebra"})
    query = {"matchGlob": "**bra", "maxResults": "1"}
    found: list[list[str]] = []

    while True:
        question = listing.Question.from_query(query)
        page = listing.list_objects(cloud, "many", question, scan_rows=128)
        found.append([row.name for row in page.objects])
        if page.next_place is None:
            break
        query["pageToken"] = listing.place_token(page.next_place)

    assert found == [[], [], ["zebra"]]


def fill(cloud: Cloud, names: set[str]) -> None:
    """Makes the bucket `many` hold objects of just these names."""
    with cloud.store.transaction() as db:
        if buckets.find(db, "many") is None:
            buckets.create_bucket(cloud, "p", {"name": "many"})
        objects.delete_prefix(cloud, "many", "")
        for name in names:
            objects.store_object(cloud, "many", name, BlobRef("0" * 64, "m", "c", 0), {})


def expected(names: set[str], prefix: str, delimiter: str) -> tuple[list[str], list[str]]:
    """Names and common prefixes by the definition."""
    plain, folders = [], set()
    for name in sorted(names, key=str.encode):
        if name.startswith(prefix):
            head, found, _ = name[len(prefix) :].partition(delimiter or "\0")
            if found:
                folders.add(prefix + head + found)
            else:
                plain.append(name)
    return plain, sorted(folders, key=str.encode)
