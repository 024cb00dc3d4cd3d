"""Makes the gRPC stubs of the Wechaty Puppet Service anew, from the protos its makers publish on npm.

Run by `make stubs`. The protos come from the npm package named below; what only serves a REST gateway is taken out
(nothing of it is on the wire), the imports are given the package's own name, and protoc writes the Python beside
them. The same package and the same tools give the same files, byte by byte.
"""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
import tarfile
import tempfile
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
HOME = ROOT / "adapters" / "groupops_wechat" / "wire"
UNDER = "groupops_wechat/wire"
PACKAGE = "wechaty-grpc@1.5.2"
PROTOS = Path("package/dist/esm/proto/wechaty")
TOOLS = ("grpcio-tools==1.85.1", "mypy-protobuf==5.1.0")

_COMMENT = re.compile(r"/\*.*?\*/|//[^\n]*", re.DOTALL)
_GATEWAY_IMPORT = re.compile(r'import "(?:google/api|protoc-gen-openapiv2)/[^"]+";\n')
_OTHERS_PACKAGES = re.compile(r"option (?:java|go)_package\s*=\s*[^;]+;\n")


def stripped(text: str) -> str:
    """Give a proto without comments, gateway options and the package names of other languages."""
    text = _COMMENT.sub("", text)
    text = _GATEWAY_IMPORT.sub("", text)
    text = _OTHERS_PACKAGES.sub("", text)
    text = _without_options(text)
    text = re.sub(r'import "wechaty/', f'import "{UNDER}/', text)
    lines = [line.rstrip() for line in text.splitlines()]
    return re.sub(r"\n{3,}", "\n\n", "\n".join(lines)).strip() + "\n"


def _without_options(text: str) -> str:
    """Take out every `option (…) = { … };`, braces counted outside strings."""
    while (found := re.search(r"option\s*\([^)]*\)\s*=\s*\{", text)) is not None:
        depth, at, quoted = 1, found.end(), False
        while depth:
            sign = text[at]
            if sign == '"' and text[at - 1] != "\\":
                quoted = not quoted
            elif not quoted:
                depth += {"{": 1, "}": -1}.get(sign, 0)
            at += 1
        text = text[: found.start()] + text[at:].lstrip(" ;")
    return text


def tools() -> Path:
    """Give the interpreter of an environment that has protoc and its plugins."""
    home = ROOT / ".cache" / "stubs"
    wanted = "\n".join(TOOLS)
    made_of = home / "made-of.txt"
    if not made_of.exists() or made_of.read_text("utf-8") != wanted:
        shutil.rmtree(home, ignore_errors=True)
        subprocess.run([sys.executable, "-m", "venv", str(home)], check=True)
        subprocess.run([str(home / "bin" / "pip"), "install", "--quiet", *TOOLS], check=True)
        made_of.write_text(wanted, "utf-8")
    return home / "bin" / "python"


def fetch(folder: Path) -> Path:
    """Give the folder of the published protos."""
    subprocess.run(
        ["npm", "pack", PACKAGE, "--silent"],
        cwd=folder,
        check=True,
        stdout=subprocess.DEVNULL,
    )
    with tarfile.open(next(folder.glob("*.tgz"))) as archive:
        archive.extractall(folder, filter="data")
    return folder / PROTOS


def main() -> None:
    """Make everything anew."""
    for old in (*HOME.rglob("*.proto"), *HOME.rglob("*_pb2*.py"), *HOME.rglob("*_pb2*.pyi")):
        old.unlink()
    with tempfile.TemporaryDirectory() as folder:
        protos = fetch(Path(folder))
        for proto in sorted(protos.rglob("*.proto")):
            target = HOME / proto.relative_to(protos)
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_text(stripped(proto.read_text("utf-8")), "utf-8")
        shutil.copy(Path(folder) / "package" / "LICENSE", HOME / "LICENSE")
    python = tools()
    files = [str(one.relative_to(HOME.parent.parent)) for one in sorted(HOME.rglob("*.proto"))]
    out = str(HOME.parent.parent)
    subprocess.run(
        [
            str(python),
            "-m",
            "grpc_tools.protoc",
            f"-I{out}",
            f"--python_out={out}",
            f"--grpc_python_out={out}",
            f"--plugin=protoc-gen-mypy={python.parent / 'protoc-gen-mypy'}",
            f"--plugin=protoc-gen-mypy_grpc={python.parent / 'protoc-gen-mypy_grpc'}",
            f"--mypy_out=quiet:{out}",
            f"--mypy_grpc_out=quiet:{out}",
            *files,
        ],
        check=True,
    )
    for package in {one.parent for one in HOME.rglob("*_pb2.py")} | {HOME}:
        (package / "__init__.py").write_text(f'"""{_ROOM if package == HOME else _BELOW}"""\n', "utf-8")
    for empty in HOME.rglob("*_pb2_grpc.py*"):
        if empty.name not in ("puppet_pb2_grpc.py", "puppet_pb2_grpc.pyi"):
            empty.unlink()


_ROOM = "The wire of the Wechaty Puppet Service: protos (Apache-2.0, see LICENSE) and what `make stubs` writes from them."
_BELOW = "Messages of the wire, written by `make stubs`."

if __name__ == "__main__":
    main()
