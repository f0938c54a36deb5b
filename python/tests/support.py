"""What the tests share: the programs, folders that go away, lakes with a vendor."""
import contextlib
import os
import pathlib
import subprocess
import tempfile

import lode
import simulator

LODE = FIXTURES = SIM = None
SEED = 0
SOURCE = pathlib.Path(__file__).resolve().parent.parent
REPOSITORY = SOURCE.parent
POLYGON_KEY = "polygon-rest-key-0123456789"


def configure(options):
    global LODE, FIXTURES, SIM, SEED
    LODE, FIXTURES, SIM, SEED = str(options.lode), str(options.fixtures), str(options.sim), options.seed
    # What the lakes of these tests do must not depend on who runs them.
    for name in list(os.environ):
        if name.startswith("LODE_"):
            del os.environ[name]
    os.environ["XDG_CONFIG_HOME"] = "/nonexistent"


def folder(test):
    """A new folder that goes with the test, or with its class."""
    held = tempfile.TemporaryDirectory(prefix="lode-python.")
    (test.addClassCleanup if isinstance(test, type) else test.addCleanup)(held.cleanup)
    return pathlib.Path(held.name)


def fixture(into, kind, *flags):
    subprocess.run([FIXTURES, kind, str(into), *flags], check=True, stdout=subprocess.DEVNULL)
    return into


@contextlib.contextmanager
def vendor(*arguments):
    """A simulator; lode asks it, by the environment."""
    with simulator.Simulator(SIM, "--today", "2024-03-05", "--polygon-key", POLYGON_KEY, *arguments) as sim:
        names = {
            "LODE_SOURCES_DATABENTO_BASE_URL": sim.url + "/v0", "DATABENTO_API_KEY": sim.key,
            "LODE_SOURCES_FRED_BASE_URL": sim.url + "/fred", "FRED_API_KEY": sim.fred_key,
            "LODE_SOURCES_POLYGON_BASE_URL": sim.url, "POLYGON_API_KEY": POLYGON_KEY,
            "LODE_SOURCES_POLYGON_S3_ENDPOINT": sim.url, "POLYGON_S3_KEY_ID": "flat-files-key-id", "POLYGON_S3_SECRET": sim.key,
            "LODE_SOURCES_TARDIS_API_URL": sim.url + "/v1", "LODE_SOURCES_TARDIS_DATASETS_URL": sim.url + "/v1",
            "TARDIS_API_KEY": sim.key, "LODE_HTTP_WAITS": "3,5,20,20000,1000"}
        before = dict(os.environ)
        os.environ.update(names)
        try:
            yield sim
        finally:
            os.environ.clear()
            os.environ.update(before)


def declare(lake, name, source, **keys):
    """A dataset into the lake's lode.toml."""
    def text(value):
        return "[" + ", ".join(map(text, value)) + "]" if isinstance(value, list) else f'"{value}"'
    lake.path.mkdir(parents=True, exist_ok=True)
    with open(lake.path / "lode.toml", "a") as file:
        print(f"[datasets.{name}]", f'source = "{source}"', sep="\n", file=file)
        for key, value in keys.items():
            print(f"{key} = {value if key == 'start' else text(value)}", file=file)


def lake(path):
    return lode.Lake(path, program=LODE)
