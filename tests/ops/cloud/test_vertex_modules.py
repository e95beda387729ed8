"""What of Google's Vertex AI package is imported, and that nothing of it is missing."""

import subprocess
import sys

BEGINNING = "from ops.cloud import vertex_modules as vertex, session; import sys\n"


def said(program: str) -> str:
    """What a new interpreter prints."""
    command = [sys.executable, "-c", BEGINNING + program]
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout.strip()


def test_a_client_brings_no_other_service_and_no_asynchronous_http() -> None:
    """A tenth of the package is imported for one service."""
    program = """
client = vertex.client_class("DatasetServiceClient")
loaded = [name for name in sys.modules if name.startswith("google.cloud.aiplatform_v1.services.")]
print(client.__name__, {name.split(".")[4] for name in loaded}, "aiohttp" in sys.modules)
"""
    assert said(program) == "DatasetServiceClient {'dataset_service'} False"


def test_every_client_of_a_session_is_found() -> None:
    """The names of the six services lead to their modules."""
    program = """
services = ("Dataset", "Pipeline", "Job", "Model", "Endpoint", "Prediction")
names = [f"{service}ServiceClient" for service in services]
print(all(vertex.client_class(name).__name__ == name for name in names))
"""
    assert said(program) == "True"


def test_the_rest_of_the_package_is_there_when_it_is_asked_for() -> None:
    """Other code in the same process finds each name, and the very same classes."""
    program = """
client, types = vertex.client_class("JobServiceClient"), vertex.messages("dataset_service")
from google.cloud import aiplatform_v1
assert aiplatform_v1.FeaturestoreServiceClient and aiplatform_v1.types.Featurestore
assert aiplatform_v1.JobServiceClient is client
assert aiplatform_v1.ImportDataResponse is types.ImportDataResponse
import aiohttp
names = {}
exec("from google.cloud.aiplatform_v1 import *", names)
print(len(names) > 1000, hasattr(aiplatform_v1, "no_such_name"))
"""
    assert said(program) == "True False"


def test_a_package_that_was_imported_before_stays() -> None:
    """The high-level SDK and a session share one package."""
    program = """
from google.cloud import aiplatform, aiplatform_v1 as before
assert vertex.client_class("ModelServiceClient") is before.ModelServiceClient
print(aiplatform.gapic.ModelServiceClient is before.ModelServiceClient)
"""
    assert said(program) == "True"
