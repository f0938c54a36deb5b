"""Running a program: pipes, signals, exit codes. The program is a script in place of lode."""
import os
import pathlib
import signal
import subprocess
import sys
import textwrap
import time
import unittest
import unittest.mock

import lode
import support

EXCEPTIONS = {2: lode.UsageError, 3: lode.PartialError, 4: lode.IncompleteError, 5: lode.RefusedError, 6: lode.StorageError,
              7: lode.BusyError, 130: lode.Interrupted}
BUSY_MS = 60_000  # of a program that must be stopped


class ProcessTest(unittest.TestCase):
    def setUp(self):
        self.folder = support.folder(self)

    def lake(self, script):
        """A lake whose program is this Python script."""
        program = self.folder / "lode"
        program.write_text(f"#!{sys.executable}\nimport json, os, signal, subprocess, sys, time\n{textwrap.dedent(script)}")
        program.chmod(0o755)
        return lode.Lake(self.folder / "lake", program=program)

    def wait_for(self, file):
        for _ in range(1000):
            if file.exists() and file.read_text():
                return file.read_text()
            time.sleep(0.01)
        self.fail(f"{file.name} did not come")

    def test_command_line(self):
        lake = self.lake("print(json.dumps({'type': 'words', 'words': sys.argv[1:]}))")
        self.assertEqual(lake.run("sync", "a", days=3).events,
                         [{"type": "words", "words": [f"--lake={lake.path}", "--json", "sync", "a", "--days=3"]}])
        lake = lode.Lake("x", config="c.toml", env_file="e.env", program=lake.program)
        self.assertEqual(lake.run("status").events[0]["words"],
                         ["--lake=x", "--json", "--config=c.toml", "--env-file=e.env", "status"])

    def test_both_pipes_full(self):
        lake = self.lake("""
            for i in range(40000):
                print(json.dumps({"type": "row", "i": i, "text": "x" * 100}))
                print("warning: " + "y" * 100, file=sys.stderr)
            sys.stdout.flush()
            sys.stderr.write("z" * (1 << 20) + "\\n")
            print(json.dumps({"type": "row", "i": -1, "text": "z" * (1 << 20)}))
        """)
        result = lake.run("anything")
        self.assertEqual([event["i"] for event in result.events], [*range(40000), -1])
        self.assertEqual((len(result.stderr), len(result.warnings), len(result.stderr[-1])), (40001, 40000, 1 << 20))

    def test_exceptions_by_exit_code(self):
        lake = self.lake("""
            code = int(sys.argv[-1])
            print(json.dumps({"type": "gap", "symbol": "Ä"}))
            print(json.dumps({"type": "error", "kind": "any", "exit_code": code, "message": f"because of {code}"}))
            print("error: because", file=sys.stderr)
            sys.exit(code)
        """)
        for code in (1, 2, 3, 4, 5, 6, 7, 9, 130):
            with self.assertRaises(lode.LodeError) as caught:
                lake.run("any", str(code))
            error = caught.exception
            self.assertIs(type(error), EXCEPTIONS.get(code, lode.LodeError))
            self.assertEqual((error.exit_code, error.message, str(error)), (code, f"because of {code}", f"because of {code}"))
            self.assertEqual(([event["type"] for event in error.events], error.stderr), (["gap", "error"], ["error: because"]))
            self.assertEqual(error.events[0]["symbol"], "Ä")
            self.assertEqual(lake.run("any", str(code), check=False).exit_code, code)
        self.assertEqual(lake.run("any", "0").exit_code, 0)

    def test_message_without_an_event(self):
        lake = self.lake("print('info: x', file=sys.stderr); print('error: the disk', file=sys.stderr); sys.exit(6)")
        with self.assertRaisesRegex(lode.StorageError, "^the disk$"):
            lake.run("any")
        with self.assertRaisesRegex(lode.PartialError, "^lode ended with exit code 3: .* any thing$"):
            self.lake("sys.exit(3)").run("any", "thing")

    def test_gaps_are_no_error_but_errors_are(self):
        lake = self.lake("print(json.dumps({'type': 'gap', 'symbol': 'A'})); sys.exit(4)")
        self.assertEqual([gap["symbol"] for gap in lake.gaps()], ["A"])
        lake = self.lake("print(json.dumps({'type': 'settled', 'words': sys.argv[3:]})); print('{\"type\": \"gaps\"}')")
        self.assertEqual(lake.gaps("d", all=True), [{"type": "settled", "words": ["gaps", "d", "--all"]}])
        lake = self.lake("print(json.dumps({'type': 'error', 'message': 'bad receipt'})); sys.exit(4)")
        with self.assertRaisesRegex(lode.IncompleteError, "bad receipt"):
            lake.gaps()

    def test_killed(self):
        lake = self.lake("print('{\"type\": \"a\"}\\n{\"ty', end='', flush=True); os.kill(os.getpid(), signal.SIGKILL)")
        with self.assertRaisesRegex(lode.LodeError, "lode was killed by signal 9") as caught:
            lake.run("any")
        self.assertEqual((caught.exception.events, caught.exception.exit_code), ([{"type": "a"}], -9))

    def test_dead_while_another_holds_its_pipes(self):
        lake = self.lake(f"""
            child = subprocess.Popen([sys.executable, "-c", "import time; time.sleep({BUSY_MS / 1000})"])
            print(json.dumps({{"type": "child", "pid": child.pid}}), flush=True)
            os._exit(0)
        """)
        begin = time.monotonic()
        result = lake.run("any")
        took = time.monotonic() - begin
        os.kill(result.events[0]["pid"], signal.SIGKILL)
        self.assertEqual(result.exit_code, 0)
        self.assertLess(took, BUSY_MS / 2000)

    def test_events_come_while_it_runs(self):
        go = self.folder / "go"
        lake = self.lake(f"""
            print(json.dumps({{"type": "first"}}), flush=True)
            while not os.path.exists({str(go)!r}):
                time.sleep(0.01)
            print(json.dumps({{"type": "second"}}))
            print("warning: w", file=sys.stderr)
            sys.exit(3)
        """)
        with lake.stream("any") as stream:
            self.assertEqual(next(stream)["type"], "first")
            self.assertIsNone(stream.result)
            go.write_text("")
            self.assertEqual(next(stream)["type"], "second")
            with self.assertRaises(lode.PartialError):
                next(stream)
        self.assertEqual((stream.result.exit_code, stream.result.warnings), (3, ["w"]))
        self.assertEqual([event["type"] for event in lake.stream("any", check=False)], ["first", "second"])

    # Notes a polite end, and which signals brought it.
    STOPS = """
        def stop(number, frame):
            with open({ended!r}, "a") as file:
                file.write(f"{{number}} ")
            print("stopping", file=sys.stderr, flush=True)
            sys.stderr.write("x" * 300000)  # more than a pipe holds
            sys.exit(130)
        signal.signal(signal.SIGINT, stop)
        signal.signal(signal.SIGTERM, stop)
        print(json.dumps({{"type": "begun"}}), flush=True)
        open({begun!r}, "w").write(str(os.getpid()))
        time.sleep({seconds})
    """

    def stopping(self):
        self.begun, self.ended = self.folder / "begun", self.folder / "ended"
        return self.lake(self.STOPS.format(ended=str(self.ended), begun=str(self.begun), seconds=BUSY_MS / 1000))

    def test_a_stream_that_is_left_is_stopped(self):
        begin = time.monotonic()
        with self.stopping().stream("any") as stream:
            next(stream)
            self.wait_for(self.begun)
        self.assertEqual(self.ended.read_text(), f"{signal.SIGTERM.value} ")
        self.assertEqual((stream.result.exit_code, stream.result.stderr[0]), (130, "stopping"))
        self.assertEqual(list(stream), [])
        self.assertLess(time.monotonic() - begin, BUSY_MS / 2000)

    def test_a_stream_that_is_forgotten_is_stopped(self):
        stream = self.stopping().stream("any")
        next(stream)
        self.wait_for(self.begun)
        del stream
        self.assertEqual(self.ended.read_text(), f"{signal.SIGTERM.value} ")

    def interrupt(self, send, own_end_s):
        """A Python that runs the lake's program; `send` is given its process. Its last lines."""
        self.stopping()
        code = (f"import lode\nlode.process._OWN_END_S = {own_end_s}\nlake = lode.Lake('lake', program={str(self.folder / 'lode')!r})\n"
                "try:\n    lake.run('any')\nexcept KeyboardInterrupt:\n    print('interrupted', open('ended').read())\n")
        process = subprocess.Popen([sys.executable, "-c", code], cwd=self.folder, stdout=subprocess.PIPE, text=True,
                                   env={**os.environ, "PYTHONPATH": str(support.SOURCE / "src")}, start_new_session=True,
                                   # A shell's background job ignores SIGINT, and so would what it starts.
                                   preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL))
        self.wait_for(self.begun)
        begin = time.monotonic()
        send(process)
        out, _ = process.communicate(timeout=BUSY_MS / 1000)
        self.assertLess(time.monotonic() - begin, BUSY_MS / 2000)
        with self.assertRaises(ProcessLookupError):  # not left behind
            os.kill(int(self.begun.read_text()), 0)
        return out

    def test_interrupt_of_python_alone(self):
        out = self.interrupt(lambda process: process.send_signal(signal.SIGINT), 0.3)
        self.assertEqual(out, f"interrupted {signal.SIGTERM.value} \n")

    def test_interrupt_by_a_terminal(self):
        out = self.interrupt(lambda process: os.killpg(process.pid, signal.SIGINT), 30)
        self.assertEqual(out, f"interrupted {signal.SIGINT.value} \n")

    def test_not_lode(self):
        for text in ("hello", "[1]", "7"):
            with self.assertRaisesRegex(lode.LodeError, "not an event of lode's.*is .*/lode the program lode?"):
                self.lake(f"print({text!r}); time.sleep(0.1)").run("any")

    def test_program_that_is_not_there(self):
        with self.assertRaisesRegex(lode.ProgramNotFoundError, "nowhere is no program that can be run"):
            lode.Lake("x", program="nowhere")
        with unittest.mock.patch.dict(os.environ, {"PATH": str(self.folder)}):
            with self.assertRaisesRegex(lode.ProgramNotFoundError, "no program lode in the PATH; give program=, or set"):
                lode.Lake("x")
            self.lake("print('{\"type\": \"path\"}')")
            self.assertEqual(lode.Lake("x").run("any").events, [{"type": "path"}])
            os.environ["LODE_PROGRAM"] = str(self.folder / "other")
            with self.assertRaisesRegex(lode.ProgramNotFoundError, "other is no program"):
                lode.Lake("x")
            (self.folder / "lode").rename(self.folder / "other")
            self.assertEqual(pathlib.Path(lode.Lake("x").program), self.folder / "other")

    def test_program_that_cannot_be_run(self):
        lake = self.lake("")
        pathlib.Path(lake.program).write_text("#!/nowhere/at/all\n")
        with self.assertRaisesRegex(lode.ProgramNotFoundError, "cannot run .*: No such file"):
            lake.run("any")
