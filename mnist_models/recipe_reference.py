"""A network as something that travels: its name as `module:function`, and the source of the modules that build it."""

import ast
import hashlib
import importlib.machinery
import importlib.util
import inspect
import pkgutil
import sys
from collections.abc import Callable, Iterator
from functools import cache
from importlib.abc import MetaPathFinder
from pathlib import Path
from typing import Any

from mnist_models.errors import InvalidInput

Network = Callable[[tuple[int, int, int], int], Any]
"""(height, width, channels), classes → a Keras model from float32 [n, height, width, channels] in [0, 1] to logits."""

OURS = Path(__file__).resolve().parent
ARCHITECTURES = "mnist_models.recipes"


def reference(network: Network) -> str | None:
    """Return `module:function`, or None for what is no function at the top of a module."""
    plain = inspect.isfunction(network) and network.__qualname__.isidentifier()
    return f"{network.__module__}:{network.__qualname__}" if plain else None


def resolve(name: str) -> Network:
    """Return the function that `reference` has named, or raise ImportError or AttributeError if there is none."""
    network: Network = pkgutil.resolve_name(name)
    return network


def source_digest(network: Network) -> str:
    """SHA-256 over the code of all modules that build the network; comments and docstrings do not count."""
    parts = (f"{name}\n{normalised(content(file))}\n" for name, file in sorted(source_files(network).items()))
    return hashlib.sha256("".join(parts).encode()).hexdigest()


@cache
def content(file: Path) -> bytes:
    """Return what a source file held when this process first asked: the identity and the copies are of the same."""
    return file.read_bytes()


@cache  # also because Python 3.11 must not parse in two threads at once: the first call is the identity's
def source_files(network: Network) -> dict[str, Path]:
    """Return module name → file: the network's own module, and what it imports beside it or among our architectures.

    Raise InvalidInput if the module has no source file, as in a notebook.
    """
    module = sys.modules[network.__module__]
    if not getattr(module, "__file__", None) or module.__name__ == "__main__":  # which a trainer would run
        raise InvalidInput(f"recipes: {reference(network)} has no source file of its own; write it into a module.")
    found: dict[str, Path] = {}
    waiting = [(module.__name__, Path(str(module.__file__)))]
    while waiting:
        name, file = waiting.pop()
        if name not in found:
            found[name] = file
            waiting += [(other, at) for other in _imports(name, file) if (at := _beside(other, name, file)) is not None]
    return found


def own_files(network: Network) -> dict[str, Path]:
    """Return those of `source_files` that do not come with this package, and have to travel with a recipe."""
    return {name: file for name, file in source_files(network).items() if OURS not in file.resolve().parents}


def normalised(source: bytes) -> str:
    """Return Python code without comments, docstrings and layout."""
    tree = ast.parse(source)
    for node in ast.walk(tree):
        if isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef) and ast.get_docstring(node) is not None:
            node.body = node.body[1:] or [ast.Pass()]
    return ast.unparse(tree)


def _imports(name: str, file: Path) -> Iterator[str]:
    package = name.rpartition(".")[0]
    for node in ast.walk(ast.parse(content(file))):
        if isinstance(node, ast.Import):
            yield from (each.name for each in node.names)
        elif isinstance(node, ast.ImportFrom):
            base = importlib.util.resolve_name("." * node.level + (node.module or ""), package)
            yield base
            yield from (f"{base}.{each.name}" for each in node.names)


def _beside(name: str, importer: str, file: Path) -> Path | None:
    """Return the file of a module that is an architecture, or lies in the same folder as the importer's `file`."""
    is_architecture = name.startswith(f"{ARCHITECTURES}.")
    if not is_architecture and name.rpartition(".")[0] != importer.rpartition(".")[0]:
        return None  # before anything is looked for: that would import the packages above it, such as Keras
    try:
        spec = importlib.util.find_spec(name)
    except (ImportError, ValueError):
        return None
    if spec is None or not spec.has_location or spec.origin is None or spec.submodule_search_locations is not None:
        return None
    origin = Path(spec.origin)
    return origin if is_architecture or origin.parent == file.parent else None


class SourceFolder(MetaPathFinder):
    """Imports modules from the copies in a run directory: files that are named by their module, such as `a.b.py`.

    A module that this process has imported already, from a file with the same content, stays.
    """

    def __init__(self, folder: Path) -> None:
        self._files = {file.stem: file for file in folder.glob("*.py")}

    def install(self) -> None:
        """Let imports find the copies, from now on and before all else."""
        if any(map(self._differs, self._files)):  # then all, for one may hold what it has imported from another
            for name in self._files:
                package, _, last = name.rpartition(".")
                if sys.modules.pop(name, None) is not None and package in sys.modules:
                    vars(sys.modules[package]).pop(last, None)
        sys.meta_path[:] = [self, *(each for each in sys.meta_path if not isinstance(each, SourceFolder))]

    def _differs(self, name: str) -> bool:
        loaded = getattr(sys.modules.get(name), "__file__", None)
        return loaded is not None and (
            not Path(loaded).is_file() or Path(loaded).read_bytes() != self._files[name].read_bytes()
        )

    def find_spec(self, fullname: str, path: Any = None, target: Any = None) -> importlib.machinery.ModuleSpec | None:
        """Return where a module comes from; also an empty package where one of the copies lies in it."""
        del path, target
        if file := self._files.get(fullname):
            return importlib.util.spec_from_file_location(fullname, file)
        is_package = any(name.startswith(f"{fullname}.") for name in self._files)
        if not is_package or any(each.find_spec(fullname, None) for each in sys.meta_path if each is not self):
            return None
        return importlib.machinery.ModuleSpec(fullname, None, is_package=True)
