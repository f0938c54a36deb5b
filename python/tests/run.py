#!/usr/bin/env python3
"""Tests of the Python package: against programs that are no lode, against real lakes, and installed.

The closing line is "N passed, N failed". Runs in third_party/oracle's Python; needs third_party/venv to install with.

usage: run.py --lode PROGRAM --fixtures PROGRAM --sim PROGRAM [--seed N] [--only PART]
"""
import argparse
import pathlib
import random
import sys
import unittest

HERE = pathlib.Path(__file__).resolve().parent
REPOSITORY = HERE.parent.parent
sys.path[:0] = [str(HERE), str(HERE.parent / "src"), str(REPOSITORY / "tests" / "vendor")]

import support  # noqa: E402


def cases(suite):
    for test in suite:
        if isinstance(test, unittest.TestSuite):
            yield from cases(test)
        else:
            yield test


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    for name in ("--lode", "--fixtures", "--sim"):
        parser.add_argument(name, type=lambda path: pathlib.Path(path).resolve(), required=True)
    parser.add_argument("--seed", type=int, default=random.randrange(1 << 30))
    parser.add_argument("--only", default="")
    options = parser.parse_args()
    print(f"seed: {options.seed}", flush=True)
    support.configure(options)
    found = unittest.defaultTestLoader.discover(str(HERE), "*_test.py", str(HERE))
    chosen = unittest.TestSuite(test for test in cases(found) if options.only in test.id())
    result = unittest.TextTestRunner(stream=sys.stdout, verbosity=2).run(chosen)
    # A class or module that cannot be set up is an error of no test of its own.
    failed = len(result.failures) + len(result.errors) + len(result.unexpectedSuccesses) + len(result.skipped)
    passed = result.testsRun - len(result.failures) - len(result.errors) - len(result.skipped)
    print(f"{max(passed, 0)} passed, {failed} failed")
    return 1 if failed or not result.testsRun else 0


if __name__ == "__main__":
    sys.exit(main())
