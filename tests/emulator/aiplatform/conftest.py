"""A server whose AutoML learns by heart, and projects of it."""

from __future__ import annotations

from collections.abc import Iterator
from uuid import uuid4

import pytest

from tests.emulator.custom import custom_engines
from tests.emulator.pipelines import pipeline_engines
from tests.emulator.vertex import Body, Vertex, fake_engines
from tests.local_cloud import LocalCloud, running_cloud


@pytest.fixture(scope="session")
def vertex_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LocalCloud]:
    """One server for all tests of Vertex AI; each test has a project of its own."""
    folder = tmp_path_factory.mktemp("vertex") / "data"
    with running_cloud(folder, *fake_engines()) as cloud:
        yield cloud


@pytest.fixture
def vertex(vertex_server: LocalCloud) -> Vertex:
    """An empty project."""
    return Vertex(vertex_server.url, f"project-{uuid4().hex[:10]}")


@pytest.fixture
def bucket(vertex: Vertex) -> str:
    """An empty bucket in the project's region."""
    return vertex.bucket(f"bucket-{uuid4().hex[:10]}")


@pytest.fixture(scope="session")
def trained_project(vertex_server: LocalCloud) -> tuple[Vertex, Body]:
    """A project with a trained model, and its pipeline; tests only read them."""
    vertex = Vertex(vertex_server.url, "trained-project")
    dataset = vertex.filled_dataset(vertex.bucket("trained-project-photos"))
    pipeline = vertex.trained(vertex.begin_training(dataset, labels={"team": "a"}))
    assert pipeline["state"] == "PIPELINE_STATE_SUCCEEDED", pipeline
    return vertex, pipeline


@pytest.fixture(scope="session")
def custom_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LocalCloud]:
    """One server for all tests of custom jobs."""
    with running_cloud(tmp_path_factory.mktemp("custom") / "data", *custom_engines()) as cloud:
        yield cloud


@pytest.fixture
def custom(custom_server: LocalCloud) -> Vertex:
    """An empty project of it."""
    return Vertex(custom_server.url, f"project-{uuid4().hex[:10]}")


@pytest.fixture
def runs(custom: Vertex) -> str:
    """An empty bucket of it."""
    return custom.bucket(f"bucket-{uuid4().hex[:10]}")


@pytest.fixture(scope="session")
def pipeline_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LocalCloud]:
    """One server for all tests of pipelines."""
    with running_cloud(tmp_path_factory.mktemp("pipe") / "data", *pipeline_engines()) as cloud:
        yield cloud


@pytest.fixture
def pipes(pipeline_server: LocalCloud) -> Vertex:
    """An empty project of it."""
    return Vertex(pipeline_server.url, f"project-{uuid4().hex[:10]}")


@pytest.fixture
def root(pipes: Vertex) -> str:
    """An empty bucket of it."""
    return pipes.bucket(f"bucket-{uuid4().hex[:10]}")
