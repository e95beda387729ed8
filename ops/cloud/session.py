"""The only place that knows base URLs and credentials, and how long and how often to try.

`connect(settings)` gives a Session for the target. Its clients are Google's own over REST,
made when first asked for; what is asked too seldom for one goes by `wire`. Everything else in `ops`
is the same on both targets.
"""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Mapping, MutableMapping
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from ops import names
from ops.cloud import patience, sign_in, vertex_modules
from ops.cloud.program import name_the_program, user_agent
from ops.settings import Settings, Target

if TYPE_CHECKING:
    from google.cloud import aiplatform_v1
    from google.cloud.storage import Client as StorageClient

    from ops.cloud.wire import Wire

LOOPBACK = "127.0.0.1"
CALL_SECONDS = 60.0
# A local server is either there or not; Google's may be away for a while.
RETRY_SECONDS = {Target.LOCAL: 2.0, Target.GCP: 120.0}
POLL_MOST_SECONDS = {Target.LOCAL: 0.5, Target.GCP: 10.0}
# Cloud Logging answers 60 entries.list a minute and project ("Quotas and limits").
LOG_SECONDS = {Target.LOCAL: 0.5, Target.GCP: 5.0}


@dataclass(frozen=True)
class Capabilities:
    """What a target can do that the other cannot.

    `builds_images`: jobs run in containers, whose image must be there; where they do not, the
    trainer runs as a process.
    """

    prepares_project: bool
    bills: bool
    checks_rights: bool
    builds_images: bool


CAPABILITIES = {
    Target.LOCAL: Capabilities(
        prepares_project=True, bills=False, checks_rights=False, builds_images=False
    ),
    Target.GCP: Capabilities(
        prepares_project=False, bills=True, checks_rights=True, builds_images=True
    ),
}


class Session:
    """Clients, calls and waiting, for one target, project and region."""

    def __init__(
        self,
        settings: Settings,
        credentials: Any,
        base_url: str | None = None,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        self.settings = settings
        self.base_url = base_url
        self.capabilities = capabilities(settings)
        self.retry_seconds = RETRY_SECONDS[settings.target]
        self._credentials = credentials
        self._sleep = sleep
        self._clients: dict[Any, Any] = {}

    @property
    def parent(self) -> str:
        """`projects/P/locations/R`."""
        return names.location(self.settings.project, self.settings.region)

    @property
    def member(self) -> str:
        """Who calls, as IAM policies name members."""
        return sign_in.member(self._credentials)

    def token(self) -> str:
        """An access token of whoever calls, for a program that takes no credentials."""
        return sign_in.token(self._credentials)

    def moved(self, region: str) -> Session:
        """The same session in another region."""
        sources = {**self.settings.sources, "region": "the stack's bucket"}
        settings = replace(self.settings, region=region, sources=sources)
        found = Session(settings, self._credentials, self.base_url, self._sleep)
        found.retry_seconds = self.retry_seconds
        return found

    def datasets(self) -> aiplatform_v1.DatasetServiceClient:
        """The client for data sets."""
        client: aiplatform_v1.DatasetServiceClient = self._vertex("DatasetServiceClient")
        return client

    def pipelines(self) -> aiplatform_v1.PipelineServiceClient:
        """The client for training pipelines."""
        client: aiplatform_v1.PipelineServiceClient = self._vertex("PipelineServiceClient")
        return client

    def jobs(self) -> aiplatform_v1.JobServiceClient:
        """The client for custom, tuning and batch prediction jobs."""
        client: aiplatform_v1.JobServiceClient = self._vertex("JobServiceClient")
        return client

    def models(self) -> aiplatform_v1.ModelServiceClient:
        """The client for models, versions and evaluations."""
        client: aiplatform_v1.ModelServiceClient = self._vertex("ModelServiceClient")
        return client

    def endpoints(self) -> aiplatform_v1.EndpointServiceClient:
        """The client for endpoints."""
        client: aiplatform_v1.EndpointServiceClient = self._vertex("EndpointServiceClient")
        return client

    def predictions(self) -> aiplatform_v1.PredictionServiceClient:
        """The client for online prediction."""
        client: aiplatform_v1.PredictionServiceClient = self._vertex("PredictionServiceClient")
        return client

    def storage(self) -> StorageClient:
        """The client for buckets and objects; safe to use from many threads."""
        from google.cloud import storage

        client: StorageClient = self._written(storage.Client, "storage.googleapis.com")
        return client

    def pause_between_logs(self) -> None:
        """Returns when the log may be looked at again."""
        self._sleep(LOG_SECONDS[self.settings.target])

    def wire(self, host: str = "storage.googleapis.com") -> Wire:
        """Authorised HTTP to one of Google's hosts: for requests by the thousand, and `rest`."""
        if host not in self._clients:
            from ops.cloud.wire import Wire

            self._clients[host] = Wire(
                self.base_url or f"https://{host}", self._credentials, user_agent()
            )
        wire: Wire = self._clients[host]
        return wire

    def call(self, method: Callable[..., Any], *args: Any, **fields: Any) -> Any:
        """What a read, or a call that may be repeated without harm, answers.

        Tried again on 429, 503 and lost connections, for at most two minutes (two seconds on
        local, where the server is either there or not). `fields` are the client method's own.
        """
        return method(
            *args, **{"retry": self._retry(patience.may_pass), "timeout": CALL_SECONDS, **fields}
        )

    def submit(self, method: Callable[..., Any], *args: Any, **fields: Any) -> Any:
        """What a call that makes something answers; tried again only when it surely did nothing."""
        return method(
            *args, **{"retry": self._retry(patience.did_nothing), "timeout": CALL_SECONDS, **fields}
        )

    def wait(
        self,
        operation: Any,
        timeout_seconds: float,
        on_poll: Callable[[Any], None] | None = None,
    ) -> Any:
        """The result of a long-running operation; `on_poll` is given its metadata at every look.

        OpsError TIMED_OUT after `timeout_seconds`: the operation itself goes on.
        """
        self.poll(
            lambda: operation.done(retry=self._retry(patience.may_pass)),
            timeout_seconds,
            on_poll=lambda _: on_poll(operation.metadata) if on_poll else None,
            what=str(operation.operation.name),
        )
        return operation.result()

    def poll(
        self,
        look: Callable[[], Any],
        timeout_seconds: float,
        on_poll: Callable[[Any], None] | None = None,
        what: str = "it",
    ) -> Any:
        """The first truthy value of `look()`: asked at once, after 0.1 s, and then ever later."""
        most = POLL_MOST_SECONDS[self.settings.target]
        return patience.poll(look, timeout_seconds, most, self._sleep, on_poll, what)

    def operation(self, client: Any, name: str, result: Any, metadata: Any) -> Any:
        """An operation known by name, taken up again; `result` and `metadata` are its types."""
        from google.api_core import operation
        from google.longrunning import operations_pb2

        transport = client.transport.operations_client
        found = transport.get_operation(name)
        assert isinstance(found, operations_pb2.Operation)
        return operation.from_gapic(  # type: ignore[no-untyped-call]
            found, transport, result, metadata_type=metadata
        )

    def terraform_environment(
        self, *, for_init: bool = False, environ: Mapping[str, str] = os.environ
    ) -> dict[str, str]:
        """Every variable that a Terraform process gets, and no other: see `terraform_environment`.

        `for_init` is for `terraform init`, which asks a registry and not the cloud.
        """
        from ops.cloud import terraform_environment

        if self.base_url:
            token = sign_in.token(self._credentials)
            return terraform_environment.local(self.base_url, token, environ, for_init=for_init)
        return terraform_environment.google(self.settings, environ)

    def _vertex(self, kind: str) -> Any:
        host = f"{self.settings.region}-aiplatform.googleapis.com"
        return self._generated(vertex_modules.client_class(kind), host)

    def _generated(self, kind: Any, host: str) -> Any:
        """The one client of a generated class, over REST; made when first asked for."""
        if kind not in self._clients:
            client = kind(
                transport="rest", credentials=self._credentials, client_options=self._options(host)
            )
            name_the_program(client.transport)
            self._clients[kind] = client
        return self._clients[kind]

    def _written(self, kind: Any, host: str, **more: Any) -> Any:
        """The one client of a hand-written class; made when first asked for."""
        if kind not in self._clients:
            from google.api_core.client_info import ClientInfo

            self._clients[kind] = kind(
                project=self.settings.project,
                credentials=self._credentials,
                client_info=ClientInfo(user_agent=user_agent()),  # type: ignore[no-untyped-call]
                client_options=self._options(host),
                **more,
            )
        return self._clients[kind]

    def _options(self, host: str) -> dict[str, Any]:
        return {"api_endpoint": self.base_url or f"https://{host}"}

    def _retry(self, passes: Callable[[BaseException], bool]) -> Any:
        return patience.retry(passes, self.retry_seconds)


def capabilities(settings: Settings) -> Capabilities:
    """Those of the target; whoever acts as an account has its rights, on a local cloud too."""
    can = CAPABILITIES[settings.target]
    return replace(can, checks_rights=can.checks_rights or bool(settings.impersonate))


def connect(settings: Settings, environ: MutableMapping[str, str] = os.environ) -> Session:
    """A Session for the target; on local, the emulator is found or started first.

    EMULATOR_VARIABLE when the target is gcp and a variable would send part of the calls elsewhere.
    """
    if settings.target is Target.LOCAL:
        return _local(settings, environ)
    return _google(settings, environ)


def _local(settings: Settings, environ: MutableMapping[str, str]) -> Session:
    from ops.cloud import emulator

    _past_proxies(environ)
    server = emulator.ensure(settings.emulator_data, settings.emulator_port)
    return Session(settings, sign_in.local(settings, server.url), base_url=server.url)


def _past_proxies(environ: MutableMapping[str, str]) -> None:
    """Keep calls to this machine from a proxy, which could not reach it; the server inherits it."""
    for name in ("NO_PROXY", "no_proxy"):
        hosts = [host for host in environ.get(name, "").split(",") if host]
        environ[name] = ",".join(dict.fromkeys([*hosts, LOOPBACK]))


def _google(settings: Settings, environ: Mapping[str, str]) -> Session:
    sign_in.check(environ)
    return Session(settings, sign_in.google(settings))
