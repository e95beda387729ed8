"""The whole environment of a Terraform process: what leads it, for `session.py`, and no other.

Sources: the provider's `google/services/*/product.go` (7.45.0) for the names of its endpoints;
developer.hashicorp.com/terraform/cli/config/environment-variables for Terraform's own variables;
developer.hashicorp.com/terraform/language/backend/gcs for those of the state's backend.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from ops.settings import Settings

# What a process needs to run at all, and to be looked into.
KEPT = (
    "PATH", "HOME", "USER", "LOGNAME", "TMPDIR", "LANG", "LC_ALL", "SSL_CERT_FILE", "SSL_CERT_DIR",
    "TF_CLI_CONFIG_FILE", "TF_PLUGIN_CACHE_DIR", "TF_LOG", "TF_LOG_PATH", "XDG_DATA_HOME",
    "XDG_DATA_DIRS",
)  # fmt: skip
# Signing in to a registry of providers: TF_TOKEN_app_terraform_io.
REGISTRY_TOKEN = "TF_TOKEN_"
PROXIES = ("HTTPS_PROXY", "HTTP_PROXY", "NO_PROXY", "https_proxy", "http_proxy", "no_proxy")
# What `google.auth.default` obeys too: Terraform is who `ops` is. GOOGLE_CREDENTIALS and
# GOOGLE_OAUTH_ACCESS_TOKEN, which only Terraform reads, would be somebody else.
KEY, GCLOUD_FOLDER = "GOOGLE_APPLICATION_CREDENTIALS", "CLOUDSDK_CONFIG"
WHO = (KEY, "GCE_METADATA_HOST", "GOOGLE_EXTERNAL_ACCOUNT_ALLOW_EXECUTABLES")
SIGNED_IN = "application_default_credentials.json"

ALWAYS = {"CHECKPOINT_DISABLE": "1", "TF_IN_AUTOMATION": "1", "TF_INPUT": "0"}
REGISTRY_TIMEOUT = "TF_REGISTRY_CLIENT_TIMEOUT"
REGISTRY_SECONDS = "5"

# Version and slash are a must. The four at the end are what releases before 7.30 read instead.
ENDPOINTS = {
    "STORAGE": "/storage/v1/",
    "RESOURCE_MANAGER": "/v1/",
    "RESOURCE_MANAGER_V3": "/v3/",
    "CLOUD_BILLING": "/v1/",
    "SERVICE_USAGE": "/v1/",
    "IAM_BETA": "/v1/",
    "IAM_CREDENTIALS": "/v1/",
    "CLOUD_QUOTAS": "/v1/",
    "ARTIFACT_REGISTRY": "/v1/",
    "BILLING_BUDGETS": "/v1/",
    "MONITORING": "/",
    "VERTEX_AI": "/v1/",
    "COMPUTE": "/compute/v1/",
    "CLOUD_BUILD": "/v1/",
    "CLOUD_RESOURCE_MANAGER": "/v1/",
    "RESOURCE_MANAGER3": "/v3/",
    "IAM": "/v1/",
    "BILLING": "/v1/",
}
# Nobody listens there: the provider's look-up of who calls, which has no endpoint of its own,
# ends at once and takes no token along. http:// addresses on this machine need no proxy.
NOWHERE = "http://127.0.0.1:1"


def local(
    base_url: str, token: str, environ: Mapping[str, str], *, for_init: bool = False
) -> dict[str, str]:
    """The variables for a cloud at `base_url`, as whoever has the token.

    Everything that Google's provider and the `gcs` backend may call is there, and whatever is not
    goes nowhere; with `for_init`, a registry can be reached through the caller's own proxies.
    """
    led = {f"GOOGLE_{name}_CUSTOM_ENDPOINT": base_url + path for name, path in ENDPOINTS.items()}
    proxies = _picked(environ, PROXIES) if for_init else {"HTTPS_PROXY": NOWHERE}
    return {
        **_own(environ),
        **proxies,
        **led,
        "GOOGLE_OAUTH_ACCESS_TOKEN": token,
    }


def google(settings: Settings, environ: Mapping[str, str]) -> dict[str, str]:
    """The variables for Google itself: the caller's credentials, and the project that pays.

    Quotas and budgets are refused to a person whose calls name no project
    (hashicorp/terraform-provider-google#18337).
    """
    acting = {"GOOGLE_IMPERSONATE_SERVICE_ACCOUNT": settings.impersonate}
    return {
        **_own(environ),
        **_picked(environ, (*PROXIES, *WHO)),
        **_signed_in(environ),
        **{name: value for name, value in acting.items() if value},
        "USER_PROJECT_OVERRIDE": "true",
        "GOOGLE_BILLING_PROJECT": settings.project,
    }


def _own(environ: Mapping[str, str]) -> dict[str, str]:
    registries = [name for name in environ if name.startswith(REGISTRY_TOKEN)]
    timeout = environ.get(REGISTRY_TIMEOUT) or REGISTRY_SECONDS
    return {**_picked(environ, (*KEPT, *registries)), **ALWAYS, REGISTRY_TIMEOUT: timeout}


def _picked(environ: Mapping[str, str], names: tuple[str, ...]) -> dict[str, str]:
    return {name: environ[name] for name in names if environ.get(name)}


def _signed_in(environ: Mapping[str, str]) -> dict[str, str]:
    """Where gcloud keeps the sign-in: Google's libraries for Go do not look into its own folder."""
    file = Path(environ.get(GCLOUD_FOLDER, "")) / SIGNED_IN
    named = environ.get(GCLOUD_FOLDER) and not environ.get(KEY)
    return {KEY: str(file)} if named and file.is_file() else {}
