"""Who may import whom: the table of docs/architecture.md, held by reading the imports."""

from __future__ import annotations

import ast
import re
import subprocess
import sys
from pathlib import Path

import pytest

PACKAGE = Path(__file__).resolve().parent.parent / "logdoctor"

DOCUMENT = PACKAGE.parent / "docs" / "architecture.md"


def read_layers():
    """The table of the document: lowest first; a module may import from its own layer and from those before it."""
    rows = re.findall(r"^\| ([a-z ]+) \| (`.+?) \|", DOCUMENT.read_text(encoding="utf-8"), re.MULTILINE)
    return [(name, [item.removesuffix("/*") for item in re.findall(r"`([^`]+)`", cell)]) for name, cell in rows]


LAYERS = read_layers()
FREE = ("__init__", "__main__")  # the lazily bound public names, and two lines that call the command line

# Modules of a higher layer that hold nothing but records, so that everything may know them.
RECORDS = {
    "logdoctor.rules._record", "logdoctor.causes._record", "logdoctor.renderers._record", "logdoctor.parsers._record",
    "logdoctor.codefacts._record", "logdoctor.results", "logdoctor.settings",
}  # fmt: skip

# Beyond the order: what a package may not touch at all.
IMPURE = ("pandas", "rich", "typer", "os", "time", "random")
FORBIDDEN = {
    "detectors": ("pandas", "logdoctor.names", "logdoctor.parsers", "logdoctor.rules"),
    "rules": (*IMPURE, "logdoctor.renderers", "logdoctor.causes", "logdoctor.parsers"),
    "causes": (*IMPURE, "logdoctor.renderers", "logdoctor.parsers"),
    "renderers": (
        "pandas", "scipy", "typer", "time", "random", "logdoctor.engine", "logdoctor.rules", "logdoctor.causes",
        "logdoctor.parsers", "logdoctor.view", "logdoctor.reader",
    ),
    "parsers": ("pandas", "scipy", "logdoctor.rules", "logdoctor.detectors", "logdoctor.renderers"),
    "cli": ("numpy", "pandas", "scipy", "logdoctor.detectors", "logdoctor.rules", "logdoctor.causes"),
    "model": ("pandas", "logdoctor.errors"),
}  # fmt: skip
HEAVY = ("numpy", "pandas", "scipy", "rich")


def modules():
    return sorted(path for path in PACKAGE.rglob("*.py"))


def dotted(path):
    parts = path.relative_to(PACKAGE.parent).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


def part_of(name):
    """The module or sub-package directly below ``logdoctor``."""
    return name.split(".")[1] if "." in name else "__init__"


def imports(path):
    """Yield ``(module, at_top, for_types)`` for each import of a file."""
    tree = ast.parse(path.read_text(encoding="utf-8"))
    tops = {id(node) for node in tree.body}
    typing_only = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.If) and "TYPE_CHECKING" in ast.dump(node.test):
            typing_only |= {id(inner) for inner in ast.walk(node)}
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            for alias in node.names:
                yield alias.name, id(node) in tops, id(node) in typing_only
        elif isinstance(node, ast.ImportFrom) and node.module:
            for alias in node.names:
                full = f"{node.module}.{alias.name}"
                known = (PACKAGE.parent / Path(*full.split("."))).with_suffix(".py")
                package = PACKAGE.parent / Path(*full.split("."))
                target = full if known.is_file() or package.is_dir() else node.module
                yield target, id(node) in tops, id(node) in typing_only


def rank(part):
    found = [number for number, (_, parts) in enumerate(LAYERS) if part in parts]
    return found[0] if found else None


def test_every_module_has_a_layer():
    parts = {part_of(dotted(path)) for path in modules()}
    lost = [part for part in sorted(parts) if rank(part) is None and part not in FREE]
    assert not lost, f"name {lost} in the table of {DOCUMENT.name}"
    listed = [part for _, names in LAYERS for part in names]
    assert len(listed) == len(set(listed))
    assert len(LAYERS) == 10


@pytest.mark.parametrize("path", modules(), ids=dotted)
def test_nobody_imports_from_a_layer_above(path):
    name = dotted(path)
    own = rank(part_of(name))
    wrong = []
    for target, _, for_types in imports(path):
        if not target.startswith("logdoctor") or target == "logdoctor" or target in RECORDS or for_types:
            continue
        theirs = rank(part_of(target))
        if theirs is not None and own is not None and theirs > own:
            wrong.append(target)
    assert not wrong, f"{name} ({LAYERS[own][0]}) imports {wrong}"


@pytest.mark.parametrize("path", modules(), ids=dotted)
def test_forbidden_libraries(path):
    fence = FORBIDDEN.get(part_of(dotted(path)), ())
    used = [
        target
        for target, _, for_types in imports(path)
        if not for_types and target not in RECORDS
        and any(target == name or target.startswith(name + ".") for name in fence)
    ]  # fmt: skip
    if part_of(dotted(path)) == "renderers":
        own = ("logdoctor.renderers", "logdoctor.model", "logdoctor.wording")
        used = [name for name in used if not name.startswith(own)]
    assert not used, f"{dotted(path)} imports {used}"


@pytest.mark.parametrize("path", modules(), ids=dotted)
def test_slow_libraries_are_imported_where_they_are_used(path):
    slow = [
        target
        for target, at_top, for_types in imports(path)
        if at_top
        and not for_types
        and target.split(".")[0] in ("pandas", "scipy", "rich", "apprise", "pyarrow", "dask")
    ]
    assert not slow, f"{dotted(path)} imports {slow} when it is loaded"


@pytest.mark.parametrize("arguments", [["--help"], ["--version"], ["analyze", "--help"], ["watch", "--help"]])
def test_help_loads_no_slow_library(arguments):
    code = (
        "import sys\n"
        "from logdoctor.cli import main\n"
        f"sys.argv = ['logdoctor', *{arguments!r}]\n"
        "try:\n    main()\n"
        "except SystemExit as end:\n    assert not end.code, end.code\n"
        f"loaded = [m for m in {HEAVY!r} if m in sys.modules]\n"
        "assert not loaded, loaded\n"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, cwd=PACKAGE.parent, check=False)
    assert done.returncode == 0, done.stderr


def test_the_public_names_exist():
    code = "import logdoctor\nfor name in logdoctor.__all__: getattr(logdoctor, name)\n"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, cwd=PACKAGE.parent, check=False)
    assert done.returncode == 0, done.stderr
