"""How a process of Vertex AI signs in as its account: by a key, at the addresses of this server."""

from __future__ import annotations

from pathlib import Path

from emulator.cloud import Cloud
from emulator.folder import write_whole
from emulator.iam import keys
from emulator.iam.service_accounts import Account

KEY_FILE = "credentials.json"


def variables(cloud: Cloud, account: Account, folder: Path) -> dict[str, str]:
    """What makes a process ask as this account; its key is made, or made again, in `folder`.

    `STORAGE_EMULATOR_HOST` would make the clients of Cloud Storage anonymous: the owner (client.py
    of google-cloud-storage 3, core.py of gcsfs 2026). Blocks, some 100 ms for an account's first
    key.
    """
    url, path = cloud.settings.base_url, folder / KEY_FILE
    folder.mkdir(parents=True, exist_ok=True)
    write_whole(path, keys.file_text(cloud, account))
    return {
        "API_ENDPOINT_OVERRIDE": url,
        "FSSPEC_GCS_ENDPOINT_URL": url,
        "FSSPEC_GCS_TOKEN": "google_default",
        # gcsfs would ask for a bucket's layout by gRPC, and wait two minutes for an answer.
        "GCSFS_EXPERIMENTAL_ZB_HNS_SUPPORT": "false",
        "GOOGLE_APPLICATION_CREDENTIALS": str(path),
        "NO_GCE_CHECK": "true",
    }
