#!/usr/bin/env python3
"""Areas of src/lode may include only areas before them: no cycles, no back calls. The order is CMakeLists.txt's.

Also: every area is in that list, no file is over 600 lines, and no include leaves the areas by a relative path.
"""
import pathlib
import re
import sys

ROOT = pathlib.Path(__file__).resolve().parent.parent
SOURCE = ROOT / "src" / "lode"


def area_order():
    text = (ROOT / "CMakeLists.txt").read_text()
    return re.search(r"foreach\(area ([a-z ]+)\)", text).group(1).split()


def problems():
    order = area_order()
    for path in sorted(SOURCE.rglob("*")):
        if path.suffix not in (".h", ".cc"):
            continue
        name = path.relative_to(ROOT)
        area = path.relative_to(SOURCE).parts[0]
        if area not in order:
            yield f"{name}: area '{area}' is not in CMakeLists.txt's list"
            continue
        lines = path.read_text().splitlines()
        if len(lines) > 600:
            yield f"{name}: {len(lines)} lines; a file answers one question in 600 at most"
        for number, line in enumerate(lines, 1):
            found = re.match(r'\s*#\s*include\s+"([^"]+)"', line)
            if not found:
                continue
            include = found.group(1)
            if ".." in include.split("/"):
                yield f"{name}:{number}: include by relative path: {include}"
            if not include.startswith("lode/"):
                continue
            other = include.split("/")[1]
            if other not in order:
                yield f"{name}:{number}: includes unknown area '{other}'"
            elif order.index(other) > order.index(area):
                yield f"{name}:{number}: '{area}' may not include '{other}', which comes after it"


found = list(problems())
print("\n".join(found) if found else f"areas in order: {' < '.join(area_order())}")
sys.exit(1 if found else 0)
