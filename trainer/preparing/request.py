"""What a preparation was asked to do: our arguments, checked, and the rest for Beam."""

from __future__ import annotations

import argparse
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import NoReturn

from trainer.errors import ConfigError, UsageError
from trainer.paths import SCHEME, local_path, mount_point
from trainer.preparing.rows import KINDS

HELP = ("--help", "-h")
LOCAL_RUNNER = "apache_beam.runners.portability.fn_api_runner.FnApiRunner"
# Beam's own name for "here" may fetch a program (Prism) over the network: this one never does.
LOCAL_NAMES = ("", "DirectRunner", "FnApiRunner", "SwitchingDirectRunner", LOCAL_RUNNER)


@dataclass(frozen=True)
class Request:
    """A whole preparation. Paths are as Beam opens them; `mount` is None where gs:// is Beam's."""

    manifest: str
    folder: str
    kind: str
    size: int
    shards: int
    network: str
    strict: bool
    report: str
    mount: str | None
    runner: str
    beam_arguments: tuple[str, ...]


class _Parser(argparse.ArgumentParser):
    def error(self, message: str) -> NoReturn:
        raise UsageError(f"{message[:1].upper()}{message[1:]}.")


def read_request(arguments: Sequence[str], environ: Mapping[str, str]) -> Request:
    """The preparation that arguments describe. Raises UsageError and ConfigError."""
    ours, rest = _parser().parse_known_args(list(arguments))
    local = ours.runner in LOCAL_NAMES
    mount = _mount(environ) if local else None
    manifest, folder = (_place(uri, mount, local) for uri in (ours.manifest, ours.to))
    embeddings = getattr(ours, "as") == "embeddings"
    return Request(
        manifest=manifest,
        folder=folder,
        kind=getattr(ours, "as"),
        size=0 if embeddings else ours.size,
        shards=ours.shards,
        network=ours.network if embeddings else "",
        strict=ours.strict,
        report=ours.report,
        mount=mount,
        runner=LOCAL_RUNNER if local else ours.runner,
        beam_arguments=tuple(rest),
    )


def explained() -> str:
    """The text of `--help`."""
    kinds = "\n".join(f"  {kind}: {why}" for kind, why in KINDS.items())
    return f"{_parser().format_help()}\nWhat is left out and counted:\n{kinds}\n"


def _parser() -> argparse.ArgumentParser:
    parser = _Parser(
        prog="python -m trainer.prepare",
        description="Photos of a manifest as verified TFRecord shards, or as embeddings.",
        epilog="Any other argument is Apache Beam's, such as --direct_num_workers or --project.",
        allow_abbrev=False,
        add_help=False,
    )
    add = parser.add_argument
    add("--manifest", required=True, help="manifest.jsonl or a folder per class: path or gs://")
    add("--to", required=True, help="the folder of the shards: a path or gs://")
    add("--as", choices=("tfrecords", "embeddings"), default="tfrecords")
    add("--size", type=_number(8, 4096), default=256, help="most pixels of the shorter side: 256")
    add("--shards", type=_number(1, 9999), default=16, help="training shards: 16; others an eighth")
    add("--network", choices=("lite0", "lite1", "lite2"), default="lite0", help="of embeddings")
    add("--strict", action="store_true", help="fail when a row is left out, and leave no shard")
    add("--report", default="", help="where the report goes too; report.json is beside the shards")
    add("--runner", default="", help="Beam's runner; without it, this machine")
    return parser


def _number(least: int, most: int) -> Callable[[str], int]:
    def number(text: str) -> int:
        if not text.isascii() or not text.isdecimal() or not least <= int(text) <= most:
            raise argparse.ArgumentTypeError(
                f"must be a whole number from {least} to {most}. Received: {text!r}"
            )
        return int(text)

    return number


def _mount(environ: Mapping[str, str]) -> str | None:
    """The folder of the mounted buckets, where there is one; else Beam reads gs:// itself."""
    mount = mount_point(environ)
    return str(mount) if mount.is_dir() else None


def _place(uri: str, mount: str | None, local: bool) -> str:
    if uri.startswith(SCHEME) and mount is None:
        return uri.rstrip("/")
    if not local:
        raise ConfigError(f"Workers elsewhere read gs:// only. Received: {uri}")
    return str(local_path(uri, Path(mount or "/")).absolute())
