"""The Lake's methods are the program's commands: their flags one for one, their results from a real lake and vendor."""
import inspect
import os
import re
import signal
import subprocess
import typing
import unittest
import unittest.mock

import lode
import support
from lode import words

COMMANDS = {"init": "init", "plan": "plan", "sync": "sync", "import_": "import", "load": "load", "run_pipeline": "run",
            "verify": "verify", "datasets": "datasets", "status": "status", "gaps": "gaps", "explain": "explain",
            "calendar": "calendar"}
# Words of the command line that methods have in their own way.
NOT_IN_PYTHON = {"help", "watch", "interval"}


class CommandsTest(unittest.TestCase):
    def test_flags(self):
        """A keyword for every flag, a bool where the flag takes no value; and no other."""
        for method, command in COMMANDS.items():
            text = subprocess.run([support.LODE, command, "--help"], check=True, stdout=subprocess.PIPE, text=True).stdout
            flags = {name.replace("-", "_"): value.startswith(" ") and not value.startswith("  ")
                     for name, value in re.findall(r"^  (?:-\w,)?--([a-z-]+)( *)", text, re.M)}
            # A value's name follows after one space: "--days N".
            flags = {name: takes for name, takes in flags.items() if name not in NOT_IN_PYTHON}
            signature = inspect.signature(getattr(lode.Lake, method))
            hints = typing.get_type_hints(getattr(lode.Lake, method), {**vars(words), **vars(lode.lake)}, {
                "pyarrow": unittest.mock.MagicMock(), "duckdb": unittest.mock.MagicMock()})
            keywords = {name: hints[name] is not bool for name, parameter in signature.parameters.items()
                        if parameter.kind is inspect.Parameter.KEYWORD_ONLY}
            self.assertEqual(keywords, flags, f"Lake.{method} and lode {command} --help")

    def test_keywords_reach_the_program(self):
        """Each keyword alone becomes its flag."""
        lake = support.lake("nowhere")
        for method, command in COMMANDS.items():
            signature = inspect.signature(getattr(lode.Lake, method))
            positional = ["word"] if any(parameter.kind is inspect.Parameter.POSITIONAL_OR_KEYWORD and name != "self"
                                         for name, parameter in signature.parameters.items()) else []
            keywords = {name: parameter for name, parameter in signature.parameters.items()
                        if parameter.kind is inspect.Parameter.KEYWORD_ONLY}
            for name, parameter in keywords.items():
                is_flag = parameter.default is False
                required = {other: "needed" for other, one in keywords.items() if one.default is inspect.Parameter.empty}
                result = lode.Result([], 0, [], [])
                with unittest.mock.patch("lode.lake.run", return_value=result) as run:
                    getattr(lake, method)(*positional, **{**required, name: True if is_flag else "value"})
                flag = "--" + name.replace("_", "-")
                others = [f"--{other}=needed" for other in required if other != name]
                line = [support.LODE, "--lake=nowhere", "--json", command, *positional]
                self.assertEqual(sorted(run.call_args.args[0]), sorted(line + others + [flag if is_flag else flag + "=value"]))

    def test_commands_at_a_vendor(self):
        lake = support.lake(support.folder(self) / "lake")
        with support.vendor() as sim:
            self.assertEqual(lake.init(dry_run=True).events[0]["dry_run"], True)
            self.assertFalse(lake.path.exists())
            self.assertTrue(lake.init().of("init")[0]["lake_made"])
            support.declare(lake, "daily", "databento", dataset="GLBX.MDP3", schema="ohlcv-1d", stype_in="parent",
                            symbols=["ZL.FUT", "ZS.FUT"], start="2024-02-01")
            with open(lake.path / "lode.toml", "a") as file:
                file.write('[pipelines.all]\nsteps = ["sync daily -e 2024-02-28", "load --to duckdb"]\n')
            planned, = lake.plan("daily", end="2024-02-28", symbols=["ZL.FUT"])
            self.assertEqual((planned["symbols"], planned["end"]), (1, "2024-02-28"))
            dry, = lake.sync("daily", end="2024-02-28", dry_run=True).of("sync_dataset")
            self.assertEqual((dry["requests_planned"], dry["rows"]), (1, 0))
            synced, = lake.sync("daily", end="2024-02-28", symbols=["ZL.FUT"], max_concurrent=2, rate=100.5).of("sync_dataset")
            self.assertGreater(synced["rows"], 0)
            with lake.stream("sync", "daily", end="2024-02-27") as stream:
                events = [event["type"] for event in stream]
            self.assertIn("sync_dataset", events)
            self.assertEqual(stream.result.exit_code, 0)
            steps = lake.run_pipeline("all").of("pipeline_step")
            self.assertEqual([step["exit_code"] for step in steps], [0, 0])
            self.assertEqual(lake.gaps("daily", end="2024-02-28"), [])
            next(lake.path.glob("bronze/daily/**/*.parquet")).unlink()
            gaps = lake.gaps("daily", start="2024-02-05", end="2024-02-09")
            self.assertEqual([(gap["symbol"], gap["start"], gap["end"]) for gap in gaps],
                             [("ZL.FUT", "2024-02-05", "2024-02-09"), ("ZS.FUT", "2024-02-05", "2024-02-09")])
            self.assertEqual(len(lake.gaps(output=lake.path / "gaps.json")), 2)
            with self.assertRaisesRegex(lode.IncompleteError, "") as caught:
                lake.verify()
            self.assertEqual([event["type"] for event in caught.exception.events], ["finding", "verify", "error"])
            lake.sync(gaps_file=lake.path / "gaps.json")
            self.assertEqual(lake.verify().of("verify")[0]["damages"], 0)
            self.assertEqual([event["type"] for event in lake.status(symbols=True)], ["status", "symbol", "symbol"])
            self.assertIn("partition", [event["type"] for event in lake.status(files=True)])
            self.assertEqual(lake.datasets()[0]["dataset"], "daily")
            self.assertEqual(lake.explain("daily/ZL.FUT/2024-02-28").of("cell")[0]["state"], "complete")
            self.assertEqual(lake.load(to="duckdb", dry_run=True).exit_code, 0)
            sim.faults({"path": "get_range", "action": {"status": 500}})
            with self.assertRaises(lode.PartialError):
                lake.sync("daily", end="2024-02-29", refetch=True)
            sim.faults()
            with self.assertRaisesRegex(lode.RefusedError, "--max-cost") as refused:
                lake.sync("daily", refetch=True, max_cost=0)
            self.assertEqual(refused.exception.events[-1]["kind"], "refused")
        self.assertIn("XNYS", [event["calendar"] for event in lake.calendar()])
        self.assertEqual([event["type"] for event in lake.calendar("XNYS", start="2024-12-24", end="2024-12-25")],
                         ["session", "holiday"])

    def test_a_sync_that_is_stopped(self):
        """Left by its reader, or ended by somebody else: nothing half, and the next one brings it."""
        lake = support.lake(support.folder(self) / "lake")
        with support.vendor() as sim:
            support.declare(lake, "daily", "databento", dataset="GLBX.MDP3", schema="ohlcv-1d", stype_in="parent",
                            symbols=["ZL.FUT"], start="2024-02-01")
            sim.faults({"path": "get_range", "action": {"delay_ms": 60_000}})
            with lake.stream("sync", "daily", end="2024-02-28") as stream:
                self.assertEqual(next(stream)["type"], "sync_plan")
            self.assertEqual(stream.result.exit_code, 130)
            self.assertRegex(stream.result.stderr[-1], "^error: .*interrupted")
            stream = lake.stream("sync", "daily", end="2024-02-28")
            next(stream)
            os.kill(stream._process._process.pid, signal.SIGTERM)
            with self.assertRaisesRegex(lode.Interrupted, "interrupted") as caught:
                list(stream)
            self.assertEqual(caught.exception.events[-1]["kind"], "interrupted")
            self.assertEqual(list(lake.path.glob("bronze/**/*.parquet")), [])
            sim.faults()
            self.assertGreater(lake.sync("daily", end="2024-02-28").of("sync_dataset")[0]["rows"], 0)

    def test_errors_of_the_program(self):
        lake = support.lake(support.folder(self) / "lake")
        for call, message in ((lambda: lake.status(), "lake"), (lambda: lake.run("sync", spede=3), "unknown flag --spede"),
                              (lambda: lake.run("snyc"), "snyc"), (lambda: lake.calendar("XNYZ"), "XNYZ")):
            with self.assertRaisesRegex(lode.UsageError, message):
                call()
        lake.init()
        lake.import_(support.fixture(lake.path.parent / "minutes", "delivery-csv", "--seed", "5", "--days", "9", "--bars", "3"),
                     dataset="minutes")
        with lake.stream("query", "SELECT count(*) FROM range(100000000000) a, range(1000) b WHERE a.range < b.range") as stream:
            pass
        self.assertIn(stream.result.exit_code, (130, -15))  # before it had begun to listen, the signal's own effect
        self.assertGreater(lake.query("SELECT count(*) AS n FROM minutes")[0]["n"], 0)
