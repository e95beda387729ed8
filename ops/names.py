"""Resource names, ids, labels and gs:// URIs: built and taken apart here and nowhere else."""

from __future__ import annotations

import hashlib
import json
import re
import unicodedata
import zlib
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

# docs.cloud.google.com/resource-manager/docs/labels-overview: keys and values up to 63 characters.
MAX_LABEL_CHARACTERS = 63
# Resource labels carry the first 32 hex characters of a data set's digest.
DIGEST_CHARACTERS = 32
# docs.cloud.google.com/storage/docs/buckets#naming
MAX_BUCKET_CHARACTERS = 63

LABEL_STACK = "ops-stack"
LABEL_RUN = "ops-run"
LABEL_DATASET = "ops-dataset"
LABEL_OWNER = "ops-owner"
LABEL_EXPIRES = "ops-expires"
EXPIRY_FORM = "%Y-%m-%dt%H-%M-%Sz"


@dataclass(frozen=True)
class ResourceName:
    """`projects/P/locations/L/COLLECTION/ID`, taken apart."""

    project: str
    location: str
    collection: str
    id: str

    def __str__(self) -> str:
        return f"{location(self.project, self.location)}/{self.collection}/{self.id}"


def location(project: str, region: str) -> str:
    """`projects/P/locations/R`, the parent of every Vertex AI resource."""
    return f"projects/{project}/locations/{region}"


def resource(project: str, region: str, collection: str, id: str) -> str:
    """`projects/P/locations/R/COLLECTION/ID`; collection is datasets, models, endpoints, …"""
    return str(ResourceName(project, region, collection, id))


def parse(name: str) -> ResourceName:
    """The parts of a resource name; a version (`@1`) and what lies under the resource are left off.

    ValueError when `name` has another form.
    """
    found = re.match(r"projects/([^/]+)/locations/([^/]+)/([^/]+)/([^/@]+)", name)
    if found is None:
        raise ValueError(f"not a resource name: {name!r}")
    return ResourceName(*found.groups())


def resource_id(name: str) -> str:
    """The id in a resource name."""
    return parse(name).id


def versioned(name: str, version: str) -> str:
    """`…/models/ID@VERSION`; the name as it is where it has a version or none is known."""
    return f"{name}@{version}" if name and version and "@" not in name else name


def short_model(name: str) -> str:
    """`ID@VERSION` of a model's full name, as `--model` takes it; `ID` where it has no version."""
    _, at, version = name.partition("@")
    return f"{resource_id(name)}{at}{version}"


# -- Cloud Storage -------------------------------------------------------------------------------


def gs_uri(bucket: str, *path: str) -> str:
    """`gs://BUCKET/a/b` of the parts given; each part may hold slashes of its own."""
    return "gs://" + "/".join([bucket, *path])


def parse_gs_uri(uri: str) -> tuple[str, str]:
    """(bucket, object name) of a gs:// URI; ValueError for anything else."""
    found = re.fullmatch(r"gs://([^/]+)/?(.*)", uri, re.DOTALL)
    if found is None:
        raise ValueError(f"not a gs:// URI: {uri!r}")
    return found[1], found[2]


def bucket_name(project: str, stack: str) -> str:
    """`PROJECT-ops-STACK`, at most 63 characters: project ids are unique in the world."""
    name = f"{project}-ops-{stack}"
    if len(name) <= MAX_BUCKET_CHARACTERS:
        return name
    return name[: MAX_BUCKET_CHARACTERS - 9] + "-" + _digest(name)[:8]


def state_bucket_name(bucket: str) -> str:
    """`BUCKET-state`, at most 63 characters: where Terraform's state of the stack is kept."""
    name = f"{bucket}-state"
    if len(name) <= MAX_BUCKET_CHARACTERS:
        return name
    return name[: MAX_BUCKET_CHARACTERS - 9] + "-" + _digest(name)[:8]


def image_object(sha256: str, suffix: str) -> str:
    """The object name of a photo: its own hash and the suffix of what its bytes are (`.jpg`)."""
    return f"images/{sha256}{suffix}"


def weights_object(sha256: str, ending: str) -> str:
    """The object name of a backbone's weights: their own hash and the file's ending (`.h5`)."""
    return f"weights/{sha256}{ending}"


def dataset_prefix(name: str, digest: str) -> str:
    """`datasets/NAME/DIGEST/`, where manifest.jsonl, labels.txt and import.jsonl lie."""
    return f"datasets/{name}/{digest}/"


def dataset_versions_prefix(name: str) -> str:
    """`datasets/NAME/`, where every version of a data set lies."""
    return f"datasets/{name}/"


def run_prefix(run_id: str) -> str:
    """`runs/RUN/`, where a run's plan, events and result lie."""
    return f"runs/{run_id}/"


def run_object(run_id: str, file: str) -> str:
    """The object name of one file of a run."""
    return run_prefix(run_id) + file


def lock_object(name: str) -> str:
    """The object name of a lock."""
    return f"locks/{name}.json"


def trainer_image(project: str, region: str, version: str) -> str:
    """The trainer's image in the project's own Artifact Registry repository `ops`."""
    return image_in(f"{region}-docker.pkg.dev/{project}/ops", version)


def image_in(repository: str, version: str) -> str:
    """The trainer's image in a repository `REGION-docker.pkg.dev/PROJECT/REPOSITORY`."""
    # "+" of a local version is not allowed in a tag: docs.docker.com/reference/cli/docker/image/tag
    return f"{repository}/trainer:{version.replace('+', '-')}"


# -- Labels --------------------------------------------------------------------------------------


def safe_label(label: str) -> str:
    """A class name in Vertex's form: a letter first, then letters, digits and underscores.

    `t-shirt` is `t_shirt`, `0` is `label_0`, `café` is `cafe`; a label with letters of another
    script than Latin, or without any letter and digit, is `label_` and eight characters of its
    hash. Two labels may get the same safe name: whoever calls refuses that.
    Source: the data preparation page, read 2026-08-22.
    """
    apart = unicodedata.normalize("NFKD", label.strip())
    safe = re.sub(r"[^A-Za-z0-9_]+", "_", apart.encode("ascii", "ignore").decode())
    if _has_other_letters(apart) or not re.search(r"[A-Za-z0-9]", safe):
        safe = _digest(label.strip())[:8]
        return f"label_{safe}"
    return safe if safe[0].isalpha() else f"label_{safe.lstrip('_')}"


def _has_other_letters(text: str) -> bool:
    """Whether letters are in it that ASCII has no likeness of: all but Latin ones."""
    letters = (char for char in text if not char.isascii() and char.isalpha())
    return any("LATIN" not in unicodedata.name(char, "") for char in letters)


def label_value(text: str) -> str:
    """`text` as the value of a resource label: lower case, digits, dash, underscore, ≤ 63."""
    return re.sub(r"[^a-z0-9_-]+", "-", text.lower()).strip("-")[:MAX_LABEL_CHARACTERS]


def resource_labels(*, stack: str, owner: str, **more: str) -> dict[str, str]:
    """`ops-stack`, `ops-owner` and `ops-KEY` for each of `more` (run, dataset, expires)."""
    labels = {"stack": stack, "owner": owner, **more}
    return {f"ops-{key}": label_value(value) for key, value in labels.items()}


def expiry_label(until: datetime) -> str:
    """A time as a label value, which takes no colon or capital: 2026-11-21t16-05-00z."""
    return until.astimezone(UTC).strftime(EXPIRY_FORM)


def expiry(label: str) -> datetime | None:
    """The time that `expiry_label` wrote; None for anything else."""
    try:
        return datetime.strptime(label, EXPIRY_FORM).replace(tzinfo=UTC)
    except ValueError:
        return None


def label_filter(labels: Mapping[str, str]) -> str:
    """A list filter that matches the resources with all these labels."""
    return " AND ".join(f'labels.{key}="{value}"' for key, value in sorted(labels.items()))


# -- Runs and the resources made by them -----------------------------------------------------------


def plan_digest(inputs: Mapping[str, Any]) -> str:
    """The digest of what decides a run's outcome: SHA-256 of its canonical JSON."""
    return _digest(json.dumps(inputs, sort_keys=True, separators=(",", ":"), ensure_ascii=False))


def run_stem(kind: str, data_digest: str, plan: str) -> str:
    """The part of a run id before its ordinal: the same for every repetition of one plan."""
    return f"{kind}-{data_digest[:12]}-{plan[:8]}-"


def run_id(kind: str, data_digest: str, plan: str, ordinal: int) -> str:
    """`train-DATA-PLAN-1`: kind, data digest, plan digest and how many times it was asked for."""
    return f"{run_stem(kind, data_digest, plan)}{ordinal}"


def run_ordinal(run: str) -> int:
    """The number at the end of a run id."""
    return int(run.rpartition("-")[2])


def run_kind(run: str) -> str:
    """The word at the start of a run id: import, train, deploy, …"""
    return run.partition("-")[0]


def model_id(name: str) -> str:
    """An id for a model: `[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?`; a run id is one already."""
    return re.sub(r"[^a-z0-9-]+", "-", name.lower()).strip("-")[:63].rstrip("-")


def registry_model_id(stack: str, dataset: str, mode: str) -> str:
    """`STACK-DATASET-MODE`, the id of the model whose versions are the trainings of a data set.

    A letter first, at most 63 characters: where the names had to be changed for that, the end is
    eight characters of their hash, so that no two are taken for one. Source:
    UploadModelRequest.model_id in google-cloud-aiplatform 2.7.
    """
    text = f"{stack}-{dataset}-{mode}"
    plain = re.sub(r"[^a-z0-9_-]+", "-", text.lower()).strip("-")
    plain = plain if plain[:1].isalpha() else f"m-{plain}"
    if plain == text and len(plain) <= 63:
        return plain
    return other_model_id(re.sub("--+", "-", plain), text)


def other_model_id(id: str, apart: str) -> str:
    """`ID-` and eight characters of the hash of what sets it apart; at most 63 characters."""
    return f"{id[:54]}-{_digest(apart)[:8]}"


def endpoint_id(stack: str, name: str = "") -> str:
    """A numeric id of 9 digits, the same for the same stack and name.

    Source: CreateEndpointRequest.endpoint_id in google-cloud-aiplatform 2.7 (digits: at most 9,
    no leading zero); letters are not taken by the Terraform provider.
    """
    return str(100_000_000 + zlib.crc32(f"{stack}/{name}".encode()) % 900_000_000)


def deployed_model_id(run: str) -> str:
    """A numeric id of 10 digits for a deployed model, the same for the same run.

    Source: DeployedModel.id in google-cloud-aiplatform 2.7 (1 to 10 digits).
    """
    return str(1_000_000_000 + zlib.crc32(run.encode()))


def _digest(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()
