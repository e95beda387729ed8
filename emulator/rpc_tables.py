"""Route and type tables, read from the SDK's own transports and kept as data beside each API.

Importing the SDK takes seconds and 120 MB; these tables load in milliseconds. `python -m
emulator.rpc_tables` writes them again after the SDK has changed; a test compares them with it.
"""

import importlib
import inspect
import json
import pkgutil
import re
import typing
from pathlib import Path
from typing import Any

VERTEX_PACKAGE = "google.cloud.aiplatform_v1"
EMULATOR = Path(__file__).parent
VERTEX_FOLDER = EMULATOR / "aiplatform" / "tables"
# Services whose message types are kept; of the others only the routes are, to answer 501 by name.
VERTEX_TYPED = (
    "dataset_service",
    "deployment_resource_pool_service",
    "endpoint_service",
    "job_service",
    "metadata_service",
    "model_service",
    "persistent_resource_service",
    "pipeline_service",
    "prediction_service",
    "schedule_service",
    "tensorboard_service",
)
# Folder, package and typed services of the APIs around it.
SMALL_APIS = (
    (EMULATOR / "cloudquotas" / "tables", "google.cloud.cloudquotas_v1", ("cloud_quotas",)),
    (EMULATOR / "billing" / "tables", "google.cloud.billing_v1", ("cloud_billing",)),
    (
        EMULATOR / "billing" / "budget_tables",
        "google.cloud.billing.budgets_v1",
        ("budget_service",),
    ),
    (
        EMULATOR / "artifactregistry" / "tables",
        "google.cloud.artifactregistry_v1",
        ("artifact_registry",),
    ),
    (
        EMULATOR / "cloudbuild" / "tables",
        "google.cloud.devtools.cloudbuild_v1",
        ("cloud_build",),
    ),
)
MIXINS = frozenset(
    [
        "GetLocation",
        "ListLocations",
        "GetIamPolicy",
        "SetIamPolicy",
        "TestIamPermissions",
        "CancelOperation",
        "DeleteOperation",
        "GetOperation",
        "ListOperations",
        "WaitOperation",
    ]
)


def derive(package: str, typed: tuple[str, ...]) -> tuple[list[dict[str, Any]], bytes]:
    """The bindings of every service of an SDK package, and the typed services' descriptors."""
    bindings: list[dict[str, Any]] = []
    files: dict[str, bytes] = {}
    services = importlib.import_module(package + ".services")
    for module in sorted(pkgutil.iter_modules(services.__path__), key=lambda m: m.name):
        bindings += _service(f"{package}.services.{module.name}", module.name in typed, files)
    return bindings, _descriptor_set(files)


def _descriptor_set(files: dict[str, bytes]) -> bytes:
    from google.longrunning import operations_pb2
    from google.protobuf import descriptor_pb2, empty_pb2

    _collect(operations_pb2.DESCRIPTOR, files)
    _collect(empty_pb2.DESCRIPTOR, files)
    protos = {
        name: descriptor_pb2.FileDescriptorProto.FromString(raw) for name, raw in files.items()
    }
    ordered = descriptor_pb2.FileDescriptorSet(file=_ordered(protos))
    return bytes(ordered.SerializeToString(deterministic=True))


def _ordered(protos: dict[str, Any]) -> list[Any]:
    """The files by name, each behind what it imports: the SDK's own order changes by run."""
    found: dict[str, Any] = {}

    def visit(name: str) -> None:
        if name not in found:
            proto = protos[name]
            proto.dependency[:] = sorted(proto.dependency)
            for dependency in proto.dependency:
                visit(dependency)
            found[name] = proto

    for name in sorted(protos):
        visit(name)
    return list(found.values())


def _service(name: str, is_typed: bool, files: dict[str, bytes]) -> list[dict[str, Any]]:
    transport_module = importlib.import_module(f"{name}.transports.rest")
    client_module = importlib.import_module(f"{name}.client")
    transport = next(
        member
        for key, member in vars(transport_module).items()
        if inspect.isclass(member) and key.endswith("RestTransport") and not key.startswith("_")
    )
    service = transport.__name__.removesuffix("RestTransport")
    client = getattr(client_module, f"{service}Client")
    bindings: list[dict[str, Any]] = []
    for key, base in vars(transport.__mro__[1]).items():
        rpc = key.removeprefix("_Base")
        if rpc == key or rpc in MIXINS or not hasattr(base, "_get_http_options"):
            continue
        types = _types(transport, client, client_module, rpc)
        if is_typed:
            _collect_types(types.values(), files)
        names = {kind: _full_name(t) for kind, t in types.items()} if is_typed else {}
        for option in base._get_http_options():
            bindings.append({"service": service, "rpc": rpc, **option, **names})
    return bindings


def _types(transport: Any, client: Any, client_module: Any, rpc: str) -> dict[str, Any]:
    hints = typing.get_type_hints(getattr(transport, "_" + rpc).__call__)
    types = {"request": hints["request"]}
    answer = hints.get("return")
    if hasattr(answer, "DESCRIPTOR") or hasattr(answer, "pb"):
        types["response"] = answer
    return types | _operation_types(client, client_module, rpc)


def _operation_types(client: Any, client_module: Any, rpc: str) -> dict[str, Any]:
    """What a long-running operation of this RPC ends with and reports, by the client's source."""
    snake = re.sub(r"(?<=[a-z0-9])([A-Z])", lambda found: "_" + found.group(0), rpc).lower()
    method = getattr(client, snake, None)
    if method is None:
        return {}
    found = re.search(
        r"from_gapic\(\s*response,\s*self\._transport\.operations_client,\s*([\w\.]+),"
        r"\s*metadata_type=([\w\.]+)",
        inspect.getsource(method),
    )
    if found is None:
        return {}
    return {
        kind: _attribute(client_module, found.group(group))
        for kind, group in (("result", 1), ("metadata", 2))
    }


def _attribute(module: Any, dotted: str) -> Any:
    value = module
    for part in dotted.split("."):
        value = getattr(value, part)
    return value


def _descriptor(message_type: Any) -> Any:
    return (message_type.pb() if hasattr(message_type, "pb") else message_type).DESCRIPTOR


def _full_name(message_type: Any) -> str:
    return str(_descriptor(message_type).full_name)


def _collect_types(types: typing.Iterable[Any], files: dict[str, bytes]) -> None:
    for message_type in types:
        _collect(_descriptor(message_type).file, files)


def _collect(file: Any, files: dict[str, bytes]) -> None:
    if file.name in files:
        return
    for dependency in file.dependencies:
        _collect(dependency, files)
    files[file.name] = file.serialized_pb


def write(folder: Path, package: str, typed: tuple[str, ...]) -> None:
    """Leaves `routes.json` and `types.binpb` (a FileDescriptorSet) in the folder."""
    bindings, descriptors = derive(package, typed)
    lines = ",\n".join(json.dumps(binding, sort_keys=True) for binding in bindings)
    (folder / "routes.json").write_text(f"[\n{lines}\n]\n")
    (folder / "types.binpb").write_bytes(descriptors)


if __name__ == "__main__":
    write(VERTEX_FOLDER, VERTEX_PACKAGE, VERTEX_TYPED)
    for small_folder, small_package, small_typed in SMALL_APIS:
        write(small_folder, small_package, small_typed)
