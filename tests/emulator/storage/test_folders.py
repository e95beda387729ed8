"""Managed folders and the folders of a hierarchical namespace."""

from __future__ import annotations

from typing import Any
from urllib.parse import quote
from uuid import uuid4

import httpx

PROJECT = "test-project"
UNIFORM = {"uniformBucketLevelAccess": {"enabled": True}}
VIEWER = {"role": "roles/storage.objectViewer", "members": ["user:a@example.org"]}


def made(http: httpx.Client, *, tree: bool = False, **fields: Any) -> str:
    """The path of a new bucket with uniform access."""
    name = f"folders-{uuid4().hex[:12]}"
    body = {"name": name, "iamConfiguration": UNIFORM, **fields}
    if tree:
        body["hierarchicalNamespace"] = {"enabled": True}
    assert http.post(f"/storage/v1/b?project={PROJECT}", json=body).status_code == 200
    return f"/storage/v1/b/{name}"


def put(http: httpx.Client, path: str, name: str) -> None:
    """A new object."""
    query = f"uploadType=media&name={quote(name, safe='')}"
    assert http.post(f"/upload{path}/o?{query}", content=b"x").status_code == 200


def names(answer: httpx.Response) -> list[str]:
    """The names in a list."""
    return [item["name"] for item in answer.json().get("items", [])]


def test_a_managed_folder_lives(http: httpx.Client) -> None:
    """Made with or without its slash, found, listed by prefix in pages, deleted when empty."""
    path = made(http)
    first = http.post(f"{path}/managedFolders", json={"name": "a"}).json()
    for name in ("a/b/", "c/"):
        http.post(f"{path}/managedFolders", json={"name": name})

    assert (first["kind"], first["name"]) == ("storage#managedFolder", "a/")
    assert http.get(first["selfLink"]).json() == first
    assert http.post(f"{path}/managedFolders", json={"name": "a"}).status_code == 409
    assert names(http.get(f"{path}/managedFolders?prefix=a/")) == ["a/", "a/b/"]
    page = http.get(f"{path}/managedFolders?pageSize=2")
    token = page.json()["nextPageToken"]
    assert names(http.get(f"{path}/managedFolders?pageSize=2&pageToken={token}")) == ["c/"]
    assert http.delete(f"{path}/managedFolders/c").status_code == 204
    assert http.get(f"{path}/managedFolders/c%2F").status_code == 404


def test_a_managed_folder_that_is_not_empty(http: httpx.Client) -> None:
    """It goes only when asked to leave what lies in it."""
    path = made(http)
    http.post(f"{path}/managedFolders", json={"name": "a"})
    put(http, path, "a/x")

    assert http.delete(f"{path}/managedFolders/a").status_code == 409
    assert http.delete(f"{path}/managedFolders/a?allowNonEmpty=true").status_code == 204
    assert names(http.get(f"{path}/o")) == ["a/x"]


def test_a_managed_folder_has_a_policy(http: httpx.Client) -> None:
    """Its policy is empty at first, written by etag, and moves its metageneration."""
    path = made(http)
    folder = http.post(f"{path}/managedFolders", json={"name": "a"}).json()
    policy = http.get(f"{folder['selfLink']}/iam").json()
    written = {**policy, "bindings": [VIEWER]}

    assert "bindings" not in policy
    assert http.put(f"{folder['selfLink']}/iam", json=written).json()["bindings"] == [VIEWER]
    assert http.put(f"{folder['selfLink']}/iam", json=written).status_code == 412
    assert http.get(folder["selfLink"]).json()["metageneration"] == "2"
    asked = http.get(f"{folder['selfLink']}/iam/testPermissions?permissions=storage.objects.get")
    assert asked.json()["permissions"] == ["storage.objects.get"]


def test_where_folders_cannot_be(http: httpx.Client) -> None:
    """Managed folders need uniform access, other folders a hierarchical namespace, both a name."""
    plain = made(http, iamConfiguration={})
    path = made(http)

    assert http.post(f"{plain}/managedFolders", json={"name": "a"}).status_code == 400
    assert http.post(f"{path}/folders", json={"name": "a"}).status_code == 400
    for name in ("", "/", "a//b", "/a", 7, None):
        answer = http.post(f"{path}/managedFolders", json={"name": name})
        assert answer.status_code == 400, name


def test_how_deep_and_long_folders_may_be(http: httpx.Client) -> None:
    """15 managed folders in each other; in a tree 512 bytes for a folder, and for what is in it."""
    plain, tree = made(http), made(http, tree=True)

    assert http.post(f"{plain}/managedFolders", json={"name": "a/" * 15}).status_code == 200
    assert http.post(f"{plain}/managedFolders", json={"name": "a/" * 16}).status_code == 400
    put(http, tree, "a" * 511 + "/" + "b" * 512)
    query = "uploadType=media&name="
    for name in ("b" * 513, "c" * 512 + "/x"):
        assert http.post(f"/upload{tree}/o?{query}{name}", content=b"x").status_code == 400
    assert http.post(f"{tree}/folders", json={"name": "d" * 512}).status_code == 400
    target = f"{tree}/folders/{'a' * 511}/renameTo/folders/{'d' * 512}"
    assert http.post(target).status_code == 400
    assert len(http.get(f"{tree}/o").json()["items"]) == 1


def test_folders_of_a_tree(http: httpx.Client) -> None:
    """A folder needs the one above it, or to be asked for with them; it goes when empty."""
    path = made(http, tree=True)

    assert http.post(f"{path}/folders", json={"name": "a/b"}).status_code == 412
    folder = http.post(f"{path}/folders?recursive=true", json={"name": "a/b"}).json()
    assert (folder["kind"], folder["name"]) == ("storage#folder", "a/b/")
    http.post(f"{path}/folders", json={"name": "c"})
    assert names(http.get(f"{path}/folders")) == ["a/", "a/b/", "c/"]
    assert names(http.get(f"{path}/folders?delimiter=/")) == ["a/", "c/"]
    assert names(http.get(f"{path}/folders?startOffset=a/b/&endOffset=c/")) == ["a/b/"]
    assert http.delete(f"{path}/folders/a").status_code == 409
    assert http.delete(f"{path}/folders/{quote('a/b/', safe='')}").status_code == 204
    assert http.delete(f"{path}/folders/a").status_code == 204


def test_an_object_makes_its_folders(http: httpx.Client) -> None:
    """In a tree the folders that an object lies in are there, and keep the bucket."""
    path = made(http, tree=True)
    put(http, path, "a/b/x")

    assert names(http.get(f"{path}/folders")) == ["a/", "a/b/"]
    http.delete(f"{path}/o/{quote('a/b/x', safe='')}")
    assert http.delete(path).status_code == 409


def test_a_folder_is_renamed_with_all_in_it(http: httpx.Client) -> None:
    """Renaming is an operation that is over; objects keep their generations."""
    path = made(http, tree=True)
    put(http, path, "a/b/x")
    before = http.get(f"{path}/o/{quote('a/b/x', safe='')}").json()

    operation = http.post(f"{path}/folders/a/renameTo/folders/z").json()

    assert (operation["kind"], operation["done"]) == ("storage#operation", True)
    assert operation["response"]["name"] == "z/"
    assert names(http.get(f"{path}/folders")) == ["z/", "z/b/"]
    after = http.get(f"{path}/o/{quote('z/b/x', safe='')}").json()
    assert (after["generation"], after["md5Hash"]) == (before["generation"], before["md5Hash"])
    assert http.get(operation["selfLink"]).json() == operation


def test_renames_that_cannot_be(http: httpx.Client) -> None:
    """Into itself 400, over another folder 409, under one that is not there 412, of none 404."""
    path = made(http, tree=True)
    for name in ("a", "b"):
        http.post(f"{path}/folders", json={"name": name})

    def renamed(source: str, target: str) -> int:
        quoted = quote(target, safe="")
        return http.post(f"{path}/folders/{source}/renameTo/folders/{quoted}").status_code

    assert renamed("a", "a/c") == 400
    assert renamed("a", "b") == 409
    assert renamed("a", "n/o") == 412
    assert renamed("n", "o") == 404


def test_a_folder_is_deleted_with_all_in_it(http: httpx.Client) -> None:
    """Deleting recursively takes folders and objects, which can still be restored."""
    path = made(http, tree=True)
    put(http, path, "a/b/x")
    put(http, path, "c/y")

    operation = http.post(f"{path}/folders/a/deleteFolderRecursive").json()

    assert operation["done"] is True
    assert names(http.get(f"{path}/folders")) == ["c/"]
    assert names(http.get(f"{path}/o")) == ["c/y"]
    assert names(http.get(f"{path}/o?softDeleted=true")) == ["a/b/x"]


def test_held_objects_keep_their_folder(http: httpx.Client) -> None:
    """A folder with an object on hold is neither renamed nor deleted; nothing in it moves."""
    path = made(http, tree=True)
    put(http, path, "a/x")
    put(http, path, "a/y")
    held = f"{path}/o/{quote('a/y', safe='')}"
    http.patch(held, json={"temporaryHold": True})

    assert http.post(f"{path}/folders/a/renameTo/folders/b").status_code == 403
    assert http.post(f"{path}/folders/a/deleteFolderRecursive").status_code == 403
    assert names(http.get(f"{path}/o")) == ["a/x", "a/y"]


def test_managed_folders_hold_uniform_access(http: httpx.Client) -> None:
    """Uniform access cannot be left while there is a managed folder."""
    path = made(http)
    http.post(f"{path}/managedFolders", json={"name": "a"})
    off = {"iamConfiguration": {"uniformBucketLevelAccess": {"enabled": False}}}

    assert http.patch(path, json=off).status_code == 412
    http.delete(f"{path}/managedFolders/a")
    assert http.patch(path, json=off).status_code == 200
