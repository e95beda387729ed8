"""Buckets of the XML API: made, set up, deleted; access controls; joined objects."""

from __future__ import annotations

from uuid import uuid4
from xml.etree.ElementTree import fromstring

import httpx
import pytest
from google.cloud.storage import Bucket, Client

CORS = (
    "<CorsConfig><Cors><Origins><Origin>http://a.example</Origin></Origins><Methods>"
    "<Method>GET</Method><Method>PUT</Method></Methods><ResponseHeaders>"
    "<ResponseHeader>x-goog-meta-a</ResponseHeader></ResponseHeaders>"
    "<MaxAgeSec>60</MaxAgeSec></Cors></CorsConfig>"
)
LIFECYCLE = (
    "<LifecycleConfiguration><Rule><Action><SetStorageClass>NEARLINE</SetStorageClass></Action>"
    "<Condition><Age>30</Age><IsLive>true</IsLive><MatchesPrefix>a/</MatchesPrefix>"
    "<MatchesPrefix>b/</MatchesPrefix></Condition></Rule></LifecycleConfiguration>"
)
VERSIONING = "<VersioningConfiguration><Status>Enabled</Status></VersioningConfiguration>"
WEBSITE = (
    "<WebsiteConfiguration><MainPageSuffix>index.html</MainPageSuffix>"
    "<NotFoundPage>404.html</NotFoundPage></WebsiteConfiguration>"
)
LOGGING = "<Logging><LogBucket>logs</LogBucket><LogObjectPrefix>p</LogObjectPrefix></Logging>"
BILLING = "<BillingConfiguration><RequesterPays>Enabled</RequesterPays></BillingConfiguration>"


def code(answer: httpx.Response) -> tuple[int, str]:
    """Status and code of a refusal."""
    return answer.status_code, fromstring(answer.text).findtext("Code") or ""


def test_a_bucket_s_life(http: httpx.Client, client: Client) -> None:
    """Made with a place and a class, seen by both APIs, refused twice, deleted when empty."""
    name = f"xml-{uuid4().hex[:12]}"
    body = (
        "<CreateBucketConfiguration><LocationConstraint>EU</LocationConstraint>"
        "<StorageClass>NEARLINE</StorageClass></CreateBucketConfiguration>"
    )
    project = {"x-goog-project-id": str(client.project)}

    assert http.put(f"/{name}", content=body, headers=project).status_code == 200
    found = client.get_bucket(name)
    assert (found.location, found.storage_class) == ("EU", "NEARLINE")
    assert http.head(f"/{name}").status_code == 200
    assert fromstring(http.get(f"/{name}?location").text).text == "EU"
    assert fromstring(http.get(f"/{name}?storageClass").text).text == "NEARLINE"
    again = http.put(f"/{name}", content=body, headers=project)
    assert code(again) == (409, "BucketAlreadyOwnedByYou")
    http.put(f"/{name}/x", content=b"")
    assert code(http.delete(f"/{name}")) == (409, "BucketNotEmpty")
    http.delete(f"/{name}/x")
    assert http.delete(f"/{name}").status_code == 204
    assert http.head(f"/{name}").status_code == 404
    assert code(http.put("/Not-A-Name", content=b"")) == (400, "InvalidBucketName")


@pytest.mark.parametrize(
    ("name", "body"),
    [("cors", CORS), ("lifecycle", LIFECYCLE), ("versioning", VERSIONING),
     ("websiteConfig", WEBSITE), ("logging", LOGGING), ("billing", BILLING)],
)  # fmt: skip
def test_settings_are_read_as_written(
    http: httpx.Client, bucket: Bucket, name: str, body: str
) -> None:
    """What is put comes back word for word; what is not XML, or another root, is refused."""
    path = f"/{bucket.name}?{name}"

    assert http.put(path, content=body).status_code == 200
    assert http.get(path).text == f"<?xml version='1.0' encoding='UTF-8'?>{body}"
    assert code(http.put(path, content="<Other/>")) == (400, "MalformedXML")
    assert code(http.put(path, content="<")) == (400, "MalformedXML")


def test_settings_are_those_of_the_json_api(http: httpx.Client, bucket: Bucket) -> None:
    """A rule put as XML is a rule of Google's client."""
    http.put(f"/{bucket.name}?lifecycle", content=LIFECYCLE)
    http.put(f"/{bucket.name}?cors", content=CORS)
    bucket.reload()

    (rule,) = bucket.lifecycle_rules
    assert rule["action"] == {"type": "SetStorageClass", "storageClass": "NEARLINE"}
    assert rule["condition"] == {"age": 30, "isLive": True, "matchesPrefix": ["a/", "b/"]}
    assert bucket.cors[0]["maxAgeSeconds"] == 60


@pytest.mark.parametrize("target", ["", "/x"])
def test_access_controls(http: httpx.Client, bucket: Bucket, target: str) -> None:
    """A list is put and read; a predefined one by header; unknown scopes are refused."""
    http.put(f"/{bucket.name}/x", content=b"")
    path = f"/{bucket.name}{target}?acl"
    entries = (
        '<Entry><Scope type="AllUsers"/><Permission>READ</Permission></Entry>'
        '<Entry><Scope type="UserByEmail"><EmailAddress>a@example.com</EmailAddress></Scope>'
        "<Permission>FULL_CONTROL</Permission></Entry>"
    )
    whole = "<AccessControlList><Entries>{}</Entries></AccessControlList>"

    assert http.put(path, content=whole.format(entries)).status_code == 200
    assert entries in http.get(path).text
    assert http.put(path, headers={"x-goog-acl": "private"}).status_code == 200
    assert "AllUsers" not in http.get(path).text
    strange = '<Entry><Scope type="Moon"/><Permission>READ</Permission></Entry>'
    assert code(http.put(path, content=whole.format(strange))) == (400, "MalformedXML")


def test_compose(http: httpx.Client, bucket: Bucket) -> None:
    """Components are joined in their order, with the type of the request."""
    for name in ("a", "b"):
        http.put(f"/{bucket.name}/{name}", content=name.encode())
    body = (
        "<ComposeRequest><Component><Name>b</Name></Component>"
        "<Component><Name>a</Name></Component></ComposeRequest>"
    )

    answer = http.put(f"/{bucket.name}/ba?compose", content=body, headers={"content-type": "t/x"})

    assert answer.status_code == 200
    read = http.get(f"/{bucket.name}/ba")
    assert (read.text, read.headers["content-type"]) == ("ba", "t/x")
    assert read.headers["x-goog-component-count"] == "2"
