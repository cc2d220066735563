"""Shows import circles among the modules of crates, by name, or of all: none is allowed.

Usage: circles.py [CRATE…]

A module is a file. It imports another one where a path in it names something that is defined there; names that a module only
hands on (`pub use`) count for the module that defines them. Tests do not count.
"""

import re
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent


def modules(source: Path) -> dict[tuple[str, ...], Path]:
    found = {}
    for path in source.rglob("*.rs"):
        parts = path.relative_to(source).with_suffix("").parts
        if parts[-1] in ("mod", "lib", "main"):
            parts = parts[:-1]
        if "tests" not in parts and not parts[-1:] == ("testing",) and not (parts and parts[-1].endswith("_test")):
            found[parts] = path
    return found


def text_of(path: Path) -> str:
    text = path.read_text()
    text = re.split(r"#\[cfg\(test\)\]\s*\n(?:#\[[^\n]*\]\s*\n)*mod \w+ \{", text)[0]
    text = re.sub(r"//[^\n]*", "", text)
    return re.sub(r'"(?:\\.|[^"\\])*"', '""', text, flags=re.S)


def leaves(tree: str) -> list[list[str]]:
    """The paths of a use tree: `a::{b, c::d as e}` gives a::b and a::c::d."""
    tree = tree.strip()
    if "{" not in tree:
        return [[part.strip() for part in re.sub(r"\s+as\s+\w+$", "", tree).split("::")]]
    head, rest = tree.split("{", 1)
    body, depth, start, items = rest[: rest.rindex("}")], 0, 0, []
    for at, char in enumerate(body):
        depth += (char == "{") - (char == "}")
        if char == "," and depth == 0:
            items.append(body[start:at])
            start = at + 1
    items.append(body[start:])
    prefix = [part.strip() for part in head.split("::") if part.strip()]
    return [prefix + path for item in items if item.strip() for path in leaves(item)]


class Crate:
    def __init__(self, source: Path):
        self.paths = modules(source)
        self.text = {name: text_of(path) for name, path in self.paths.items()}
        self.handed: dict[tuple[tuple[str, ...], str], list[str]] = {}
        for name, text in self.text.items():
            for found in re.finditer(r"^pub(?:\([^)]*\))?\s+use\s+([^;]+);", text, re.M):
                for path in leaves(found[1]):
                    self.handed[name, path[-1]] = path
        self.imports = {name: self.imported(name) for name in self.paths}

    def resolve(self, at: tuple[str, ...], path: list[str]) -> tuple[str, ...] | None:
        """The module that defines what a path in a module names."""
        where, rest = at, list(path)
        if rest[0] == "crate":
            where, rest = (), rest[1:]
        elif rest[0] == "super":
            while rest and rest[0] == "super":
                where, rest = where[:-1], rest[1:]
        elif rest[0] == "self":
            rest = rest[1:]
        elif (*where, rest[0]) not in self.paths:
            return None
        while rest:
            if (*where, rest[0]) in self.paths:
                where, rest = (*where, rest[0]), rest[1:]
            elif (where, rest[0]) in self.handed:
                onward = self.resolve(where, self.handed[where, rest[0]])
                return onward if onward is not None else where
            else:
                break
        return where

    def imported(self, name: tuple[str, ...]) -> set[tuple[str, ...]]:
        text, found = self.text[name], set()
        for use in re.finditer(r"^(pub(?:\([^)]*\))?\s+)?use\s+([^;]+);", text, re.M):
            if not use[1]:
                found.update(self.resolve(name, path) for path in leaves(use[2]))
        body = re.sub(r"^(?:pub(?:\([^)]*\))?\s+)?use\s+[^;]+;", "", text, flags=re.M)
        for path in re.finditer(r"\b((?:crate|super)(?:::\w+)+)", body):
            found.add(self.resolve(name, path[1].split("::")))
        for path in re.finditer(r"(?<![:\w])([a-z]\w*)::\w+", body):
            if (*name, path[1]) in self.paths:
                found.add(self.resolve(name, path[0].split("::")))
        return {module for module in found if module is not None and module != name}

    def circles(self) -> list[list[tuple[str, ...]]]:
        """Sets of modules each of which reaches all others (Tarjan)."""
        index, low, stack, on, out = {}, {}, [], set(), []

        def visit(node):
            index[node] = low[node] = len(index)
            stack.append(node)
            on.add(node)
            for other in self.imports.get(node, ()):
                if other not in index:
                    visit(other)
                    low[node] = min(low[node], low[other])
                elif other in on:
                    low[node] = min(low[node], index[other])
            if low[node] == index[node]:
                found = []
                while True:
                    found.append(stack.pop())
                    on.discard(found[-1])
                    if found[-1] == node:
                        break
                if len(found) > 1:
                    out.append(sorted(found))

        sys.setrecursionlimit(10_000)
        for node in sorted(self.paths):
            if node not in index:
                visit(node)
        return out


def main() -> int:
    bad = 0
    chosen = [ROOT / "crates" / name / "src" for name in sys.argv[1:]]
    for source in chosen or [ROOT / "src", *sorted(ROOT.glob("crates/*/src"))]:
        crate = Crate(source)
        for circle in crate.circles():
            bad += 1
            name = "::".join
            print(f"{source.relative_to(ROOT)}: a circle of {len(circle)} modules")
            for module in circle:
                inside = sorted(name(other) or 'the root' for other in crate.imports[module] if other in circle)
                print(f"  {name(module) or 'the root'} imports {', '.join(inside)}")
    print("no module imports in a circle" if bad == 0 else f"{bad} circles")
    return int(bad > 0)


if __name__ == "__main__":
    sys.exit(main())
