"""The package as pip installs it: without an index, into an environment that has nothing else."""
import ast
import os
import pathlib
import shutil
import subprocess
import sys
import unittest

import support

USE = """
import lode, pathlib, sys
assert pathlib.Path(lode.__file__).is_relative_to(sys.argv[1]), lode.__file__
assert pathlib.Path(lode.__file__).with_name("py.typed").exists()
lake = lode.Lake(sys.argv[2], program=sys.argv[3])
print(lake.query("SELECT count(*) AS n FROM minutes"), [event["schema"] for event in lake.datasets()])
for call in (lambda: lake.table("minutes"), lambda: lake.relation("minutes"), lambda: lake.query_arrow("SELECT 1")):
    try:
        call()
    except ImportError as error:
        print(error)
"""


class InstallTest(unittest.TestCase):
    def test_pip(self):
        folder = support.folder(self)
        # pip builds in the folder: not in the sources.
        shutil.copytree(support.SOURCE, folder / "python", ignore=shutil.ignore_patterns("__pycache__", "tests"))
        python = support.REPOSITORY / "third_party" / "venv" / "bin" / "python"  # pip, and a setuptools that makes wheels
        subprocess.run([python, "-m", "pip", "--disable-pip-version-check", "--no-input", "-q", "install", "--no-index",
                        "--no-build-isolation", "--no-deps", "--target", folder / "site", folder / "python"], check=True)
        lake = support.lake(folder / "lake")
        lake.import_(support.fixture(folder / "minutes", "delivery-csv", "--seed", "5", "--days", "9", "--bars", "3"),
                     dataset="minutes")
        clean = {name: value for name, value in os.environ.items() if not name.startswith("PYTHON")}
        run = subprocess.run([python, "-c", USE, folder / "site", lake.path, support.LODE], cwd=folder, check=True,
                             stdout=subprocess.PIPE, text=True, env={**clean, "PYTHONPATH": str(folder / "site")})
        count, *errors = run.stdout.splitlines()
        self.assertRegex(count, r"^\[\{'n': [1-9]\d*\}\] \['ohlcv-1m'\]$")
        self.assertEqual(errors, ["pyarrow is needed for this: pip install 'lode[arrow]'",
                                  "duckdb is needed for this: pip install 'lode[duckdb]'",
                                  "pyarrow is needed for this: pip install 'lode[arrow]'"])

    def test_reads_as_python_3_9(self):
        for file in sorted((support.SOURCE / "src").rglob("*.py")):
            ast.parse(file.read_text(), str(file), feature_version=(3, 9))
        known = set(sys.stdlib_module_names) | {"pyarrow", "duckdb"}
        for file in (support.SOURCE / "src").rglob("*.py"):
            for node in ast.walk(ast.parse(file.read_text())):
                names = [alias.name for alias in node.names] if isinstance(node, ast.Import) else \
                    [node.module or ""] if isinstance(node, ast.ImportFrom) and node.level == 0 else []
                for name in names:
                    self.assertIn(name.partition(".")[0], known, pathlib.Path(file).name)
