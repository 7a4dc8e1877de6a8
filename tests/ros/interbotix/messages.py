"""Builds `interbotix_xs_msgs` for tests, from the definitions in `interfaces/`: python -m tests.ros.interbotix.messages
FOLDER. Takes a C++ compiler and the rosidl generators that come with rclpy's wheels; no CMake and no ROS installation.

Only what the bridge speaks is in it.
"""

from __future__ import annotations

import hashlib
import importlib.util
import os
import shutil
import subprocess
import sys
import sysconfig
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

PACKAGE = "interbotix_xs_msgs"
INTERFACES = Path(__file__).parent / "interfaces"
TYPE_SUPPORTS = ("rosidl_typesupport_fastrtps_c", "rosidl_typesupport_introspection_c")
GENERATORS = ("rosidl_adapter", "rosidl_cli", "rosidl_generator_c", "rosidl_generator_py", "rosidl_typesupport_c")
PREFIX = Path(sys.prefix)
PARTS = ("rosidl_generator_c", "rosidl_generator_py", "rosidl_typesupport_c", *TYPE_SUPPORTS)
#: whose libraries the generated code calls; the service events bring the last two
LIBRARIES = (
    "fastcdr",
    "rcutils",
    "rosidl_runtime_c",
    "rosidl_typesupport_c",
    "rosidl_typesupport_fastrtps_c",
    "rosidl_typesupport_fastrtps_cpp",
    "rosidl_typesupport_introspection_c",
    *(f"service_msgs__{part}" for part in PARTS),
    *(f"builtin_interfaces__{part}" for part in PARTS),
)


def missing() -> str | None:
    """What is not there to build them, or None."""
    absent = [name for name in (*GENERATORS, *TYPE_SUPPORTS) if importlib.util.find_spec(name) is None]
    if absent:
        return f"{absent[0]} is not installed"
    if shutil.which("g++") is None:
        return "there is no C++ compiler"
    if not (Path(sysconfig.get_paths()["include"]) / "Python.h").is_file():
        return "Python's headers are not installed"
    if not (PREFIX / "include" / "rosidl_runtime_c").is_dir():
        return "ROS 2 is not installed from wheels"
    return None


def built_in(cache: Path) -> Path:
    """A folder for PYTHONPATH in which the package is; built the first time. Raises CalledProcessError."""
    made_of = [path.read_bytes() for path in (Path(__file__), *_definitions())]
    made_of += [sys.version.encode(), importlib.util.find_spec("rosidl_generator_py").origin.encode()]
    folder = cache / hashlib.sha256(b"\0".join(made_of)).hexdigest()[:16]
    if not folder.is_dir():
        building = cache / f"{folder.name}.{os.getpid()}"
        subprocess.run([sys.executable, __file__, str(building)], check=True, stdout=subprocess.DEVNULL)
        try:
            building.rename(folder)
        except OSError:  # another test process was faster
            shutil.rmtree(building)
    return folder


def _definitions() -> list[Path]:
    return sorted(path for path in INTERFACES.rglob("*") if path.suffix in (".msg", ".srv"))


def _generate(package: Path, sources: Path) -> None:
    from rosidl_cli.command.translate.api import translate
    from rosidl_generator_c.cli import GenerateC
    from rosidl_generator_py.cli import GeneratePython
    from rosidl_typesupport_c.cli import GenerateCTypesupport
    from rosidl_typesupport_fastrtps_c.cli import GenerateFastRTPSCTypesupport
    from rosidl_typesupport_introspection_c.cli import GenerateIntrospectionCTypesupport

    include = [str(PREFIX / "share" / name) for name in ("service_msgs", "builtin_interfaces")]
    named = [f"{INTERFACES}:{path.relative_to(INTERFACES)}" for path in _definitions()]
    interfaces = translate(
        package_name=PACKAGE, interface_files=named, include_paths=include, output_format="idl", output_path=sources
    )
    for generator, part in (
        (GenerateC("c"), "rosidl_generator_c"),
        (GenerateFastRTPSCTypesupport("fastrtps_c"), TYPE_SUPPORTS[0]),
        (GenerateIntrospectionCTypesupport("introspection_c"), TYPE_SUPPORTS[1]),
        (GenerateCTypesupport("c", typesupport_implementations=list(TYPE_SUPPORTS)), "rosidl_typesupport_c"),
        (GeneratePython("py", typesupport_implementations=["rosidl_typesupport_c"]), "rosidl_generator_py"),
    ):
        folder = sources / part / PACKAGE
        folder.mkdir(parents=True)
        generator.generate(PACKAGE, interfaces, include, folder)
    for path in (sources / "rosidl_generator_py" / PACKAGE).rglob("*.py"):
        place = package / path.relative_to(sources / "rosidl_generator_py" / PACKAGE)
        place.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(path, place)
    (package / "__init__.py").touch()


def _compile(package: Path, sources: Path) -> None:
    import numpy

    headers = [*sources.iterdir(), PREFIX / "include", *(path for path in (PREFIX / "include").iterdir())]
    flags = ["-O0", "-fPIC", "-w", *(f"-I{path}" for path in headers if path.is_dir())]
    flags += [f"-I{sysconfig.get_paths()['include']}", f"-I{numpy.get_include()}"]

    def compiled(source: Path) -> Path:
        made = source.with_name(source.name + ".o")
        compiler = ["g++", "-std=c++17"] if source.suffix == ".cpp" else ["gcc"]
        subprocess.run([*compiler, *flags, "-c", str(source), "-o", str(made)], check=True)
        return made

    def linked(name: str, parts: list[str], *libraries: str) -> None:
        objects = [str(path) for part in parts for path in (sources / part).rglob("*.o")]
        # a type support is looked for by its library's name, and found because the module has loaded it
        where = [f"-L{PREFIX / 'lib'}", f"-L{package}", f"-Wl,-rpath,{PREFIX / 'lib'}:$ORIGIN,--no-as-needed"]
        named = [f"-l{library}" for library in libraries]
        made = ["-o", str(package / name), f"-Wl,-soname,{name}"]
        subprocess.run(["g++", "-shared", *made, *objects, *where, *named], check=True)

    with ThreadPoolExecutor(os.cpu_count()) as pool:
        list(pool.map(compiled, [path for path in sources.rglob("*") if path.suffix in (".c", ".cpp")]))
    parts = ("rosidl_generator_c", *TYPE_SUPPORTS)
    for k, part in enumerate(parts):
        linked(f"lib{PACKAGE}__{part}.so", [part], *LIBRARIES, *(f"{PACKAGE}__{other}" for other in parts[:k]))
    name = f"{PACKAGE}_s__rosidl_typesupport_c{sysconfig.get_config_var('EXT_SUFFIX')}"
    linked(
        name,
        ["rosidl_typesupport_c", "rosidl_generator_py"],
        *LIBRARIES,
        *(f"{PACKAGE}__{part}" for part in parts),
    )


def main() -> None:
    folder = Path(sys.argv[1])
    reason = missing()
    if reason:
        sys.exit(f"Interbotix's messages cannot be built: {reason}.")
    # the generators look for their templates by this variable alone
    os.environ["AMENT_PREFIX_PATH"] = str(PREFIX)
    _generate(folder / PACKAGE, folder / "sources")
    _compile(folder / PACKAGE, folder / "sources")
    shutil.rmtree(folder / "sources")


if __name__ == "__main__":
    main()
