"""What a request to Cloud Storage is called in a retry test: `storage.objects.insert`."""

from __future__ import annotations

# (HTTP method, API root, path, name), as storage-testbench 0.45 names them; "*" is a name.
# POST stands for PATCH too: clients may override it.
PLAIN, UPLOAD, DOWNLOAD = "/storage/v1/", "/upload/storage/v1/", "/download/storage/v1/"
_FIXED = [
    ("GET", PLAIN, "b", "storage.buckets.list"),
    ("POST", PLAIN, "b", "storage.buckets.insert"),
    ("GET", PLAIN, "b/*", "storage.buckets.get"),
    ("PUT", PLAIN, "b/*", "storage.buckets.update"),
    ("PATCH", PLAIN, "b/*", "storage.buckets.patch"),
    ("POST", PLAIN, "b/*", "storage.buckets.patch"),
    ("DELETE", PLAIN, "b/*", "storage.buckets.delete"),
    ("GET", PLAIN, "b/*/iam", "storage.buckets.getIamPolicy"),
    ("PUT", PLAIN, "b/*/iam", "storage.buckets.setIamPolicy"),
    ("GET", PLAIN, "b/*/iam/testPermissions", "storage.buckets.testIamPermissions"),
    ("POST", PLAIN, "b/*/lockRetentionPolicy", "storage.buckets.lockRetentionPolicy"),
    ("GET", PLAIN, "b/*/storageLayout", "storage.storageLayout.get"),
    ("GET", PLAIN, "b/*/notificationConfigs", "storage.notifications.list"),
    ("POST", PLAIN, "b/*/notificationConfigs", "storage.notifications.insert"),
    ("GET", PLAIN, "b/*/notificationConfigs/*", "storage.notifications.get"),
    ("DELETE", PLAIN, "b/*/notificationConfigs/*", "storage.notifications.delete"),
    ("GET", PLAIN, "b/*/o", "storage.objects.list"),
    ("GET", PLAIN, "b/*/o/*", "storage.objects.get"),
    ("PUT", PLAIN, "b/*/o/*", "storage.objects.update"),
    ("PATCH", PLAIN, "b/*/o/*", "storage.objects.patch"),
    ("POST", PLAIN, "b/*/o/*", "storage.objects.patch"),
    ("DELETE", PLAIN, "b/*/o/*", "storage.objects.delete"),
    ("POST", PLAIN, "b/*/o/*/compose", "storage.objects.compose"),
    ("POST", PLAIN, "b/*/o/*/restore", "storage.objects.restore"),
    ("POST", PLAIN, "b/*/o/*/copyTo/b/*/o/*", "storage.objects.copy"),
    ("POST", PLAIN, "b/*/o/*/rewriteTo/b/*/o/*", "storage.objects.rewrite"),
    ("POST", PLAIN, "b/*/o/*/moveTo/o/*", "storage.objects.move"),
    ("GET", PLAIN, "projects/*/serviceAccount", "storage.serviceaccount.get"),
    ("POST", PLAIN, "projects/*/hmacKeys", "storage.hmacKey.create"),
    ("GET", PLAIN, "projects/*/hmacKeys", "storage.hmacKey.list"),
    ("GET", PLAIN, "projects/*/hmacKeys/*", "storage.hmacKey.get"),
    ("PUT", PLAIN, "projects/*/hmacKeys/*", "storage.hmacKey.update"),
    ("DELETE", PLAIN, "projects/*/hmacKeys/*", "storage.hmacKey.delete"),
    ("POST", UPLOAD, "b/*/o", "storage.objects.insert"),
    ("PUT", UPLOAD, "b/*/o", "storage.objects.insert"),
    ("DELETE", UPLOAD, "b/*/o", "storage.objects.delete"),
    ("GET", DOWNLOAD, "b/*/o/*", "storage.objects.get"),
]
_ACLS = [
    ("b/*/acl", "storage.bucket_acl"),
    ("b/*/defaultObjectAcl", "storage.default_object_acl"),
    ("b/*/o/*/acl", "storage.object_acl"),
]
_ACL_VERBS = [
    ("GET", "", "list"),
    ("POST", "", "insert"),
    ("GET", "/*", "get"),
    ("PUT", "/*", "update"),
    ("PATCH", "/*", "patch"),
    ("POST", "/*", "patch"),
    ("DELETE", "/*", "delete"),
]
METHODS = _FIXED + [
    (verb, PLAIN, path + rest, f"{noun}.{name}")
    for path, noun in _ACLS
    for verb, rest, name in _ACL_VERBS
]
# The XML API's objects: /BUCKET/OBJECT.
_XML = {
    "GET": "storage.objects.get",
    "PUT": "storage.objects.insert",
    "POST": "storage.objects.insert",
}
NAMES = frozenset(name for *_, name in METHODS)


def name_of(method: str, path: str) -> str:
    """The retry test's name for a request, by its path as it came (percent-encoded); or ""."""
    for root in (PLAIN, UPLOAD, DOWNLOAD):
        if path.startswith(root):
            words = path[len(root) :].rstrip("/").split("/")
            return next(
                (
                    name
                    for verb, base, form, name in METHODS
                    if verb == method and base == root and _fits(form.split("/"), words)
                ),
                "",
            )
    return _XML.get(method, "") if path.count("/") > 1 else ""


def _fits(form: list[str], words: list[str]) -> bool:
    return len(form) == len(words) and all(
        expected in ("*", word) for expected, word in zip(form, words, strict=True)
    )
