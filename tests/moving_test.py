#!/usr/bin/env python3
"""docs/moving-from-scripts.md and the e2e cases that run it: every lode command of a table is run, every run is in a table.

A section's tables belong to the case that its comment names, `<!-- run by CASE -->`. A row's commands are the code spans of
its second column, `lode WORDS`. The case runs one as a line `lode --lake "$LAKE" WORDS` that ends there, or goes on with a shell
operator or redirection; a variable may be set or unset before it. The case's other lines prepare and look.
"""
import pathlib
import re
import sys

ROOT = pathlib.Path(__file__).resolve().parent.parent
PREFIX = 'lode --lake "$LAKE" '
RUN = re.compile(r"(?:(?:\w+=\S+|unset \w+); )?" + re.escape(PREFIX))
WORDS = re.compile(r"""(?:[^"'\s]|"[^"]*"|'[^']*'|\s(?!(?:\d?>|\||;|&)))*""")


def rows_of(text):
    """{case: [command]} of the tables, and what is wrong with them."""
    cases, problems, case = {}, [], None
    for number, line in enumerate(text.splitlines(), 1):
        if line.startswith("## "):
            case = None
        if named := re.fullmatch(r"<!-- run by (\w+) -->", line):
            case = named[1]
            cases[case] = []
        if not line.startswith("| ") or line.startswith(("| script |", "| command |")):
            continue
        cells = line.split(" | ")
        spans = re.findall(r"`lode ([^`]+)`", cells[1]) if len(cells) == 3 else []
        if case is None or not spans:
            problems.append(f"line {number}: a row of three cells, with a lode command in the second, of a section that is run")
        elif re.sub(r"`[^`]*`|[, ]", "", cells[1]):
            problems.append(f"line {number}: the second cell holds more than commands")
        else:
            cases[case] += spans
    return cases, problems


def runs_of(text):
    """Commands that a case runs as rows."""
    found = [(line, RUN.match(line)) for line in text.replace("\\\n", "").splitlines()]
    return [WORDS.match(line[run.end():])[0].rstrip(" ;") for line, run in found if run]


def check(text, commands_of):
    cases, problems = rows_of(text)
    for case, rows in cases.items():
        runs = runs_of(commands_of(case))
        problems += [f"{case} does not run: lode {row}" for row in sorted(set(rows) - set(runs))]
        problems += [f"no row of {case}: lode {run}" for run in sorted(set(runs) - set(rows))]
    return problems, cases


def self_test():
    """The check finds what it is for."""
    page = "## A\n<!-- run by a -->\n| script | lode | x |\n|---|---|---|\n| s | `lode plan \"A | B\"`, `lode gaps` | - |\n"
    good = PREFIX + 'plan "A | B" | head\n' + PREFIX + "gaps 2> file; true\nlode doctor\n"
    assert runs_of("A=$(<b); " + PREFIX + 'x "$A"\necho; ' + PREFIX + "y\n") == ['x "$A"']
    assert check(page.replace("A | B", "A, B"), lambda _: good.replace("A | B", "A, B"))[0] == []
    assert runs_of(good) == ['plan "A | B"', "gaps"]
    page = page.replace('plan "A | B"', "plan")
    assert check(page, lambda _: PREFIX + "plan\n")[0] == ["a does not run: lode gaps"]
    assert check(page, lambda _: PREFIX + "plan -q\n" + PREFIX + "gaps\n")[0] == ["a does not run: lode plan", "no row of a: lode plan -q"]
    assert len(check(page + "| s | nothing | - |\n", lambda _: "")[0]) == 3
    assert len(check("| s | `lode plan` | - |\n", lambda _: "")[0]) == 1
    assert len(check(page + "| s | `lode x` or not | - |\n", lambda _: PREFIX + "plan\n" + PREFIX + "gaps\n")[0]) == 1


def main():
    self_test()
    problems, cases = check((ROOT / "docs" / "moving-from-scripts.md").read_text(),
                            lambda case: (ROOT / "tests" / "e2e" / case / "commands").read_text())
    if len(cases) < 3:
        problems.append("three workflows have tables")
    print("\n".join(problems) or f"{sum(map(len, cases.values()))} commands of {len(cases)} workflows are run")
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(main())
