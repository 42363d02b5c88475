"""The modules that a logged model needs, as a package of its own beside its weights.

The package is named by its content, and imports within itself only. So another version of this project, or another
model, in the same process has modules of other names, and each model runs the code that it was logged with.
"""

import ast
import hashlib
import re
from importlib.util import find_spec
from pathlib import Path

ENTRY = "tasks.serving.loader"
OURS = ("mnist_models", "tasks")
_IMPORT = re.compile(rf"^(\s*from )(?=(?:{'|'.join(OURS)})[. ])", re.MULTILINE)


def write_code(folder: Path) -> str:
    """Write the package into a folder, and return the name of the module by which MLflow loads the model."""
    sources = {name: _file(name).read_text() for name in needed_modules()}
    digest = hashlib.sha256()
    for name, source in sorted(sources.items()):
        digest.update(f"{name}\n{source}\n".encode())
    package = f"mnist_serving_{digest.hexdigest()[:12]}"
    for name, source in sources.items():
        inside = "/__init__.py" if _file(name).name == "__init__.py" else ".py"
        file = folder / package / f"{name.replace('.', '/')}{inside}"
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(_IMPORT.sub(rf"\g<1>{package}.", source))
    # Not empty: a file without content cannot be uploaded through every proxy.
    (folder / package / "__init__.py").write_text('"""The code that a model was logged with."""\n')
    return f"{package}.{ENTRY}"


def needed_modules(entry: str = ENTRY) -> set[str]:
    """Return a module of ours, what it imports of ours, directly or not, and the packages that hold these."""
    found: set[str] = set()
    left = [entry]
    while left:
        name = left.pop()
        if name in found or name.partition(".")[0] not in OURS:
            continue
        found.add(name)
        left.append(name.rpartition(".")[0])
        for node in ast.walk(ast.parse(_file(name).read_text())):
            if isinstance(node, ast.ImportFrom) and node.module:
                left.append(node.module)
    return found


def _file(name: str) -> Path:
    spec = find_spec(name)
    if spec is None or spec.origin is None:
        raise ModuleNotFoundError(name)
    return Path(spec.origin)
