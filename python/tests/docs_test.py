"""The examples of docs/python.md run, as they stand there."""
import contextlib
import io
import os
import re
import unittest

import support


class DocsTest(unittest.TestCase):
    def test_examples(self):
        text = (support.REPOSITORY / "docs" / "python.md").read_text()
        blocks = re.findall(r"^```python\n(.*?)^```$", text, re.M | re.S)
        self.assertGreaterEqual(len(blocks), 3)
        folder, before = support.folder(self), os.getcwd()
        with support.vendor():
            support.declare(support.lake(folder / "lake"), "futures_1d", "databento", dataset="GLBX.MDP3", schema="ohlcv-1d",
                            stype_in="parent", symbols=["ZL.FUT", "ZS.FUT"], start="2024-02-01")
            os.environ["LODE_PROGRAM"] = support.LODE
            os.chdir(folder)
            self.addCleanup(os.chdir, before)
            names, printed = {}, io.StringIO()
            with contextlib.redirect_stdout(printed):
                for block in blocks:
                    exec(compile(block, "docs/python.md", "exec"), names)
        lines = printed.getvalue().splitlines()
        comments = [line.strip()[2:] for line in text.splitlines() if line.startswith("    # ")]
        self.assertEqual(lines[:len(comments)], comments)
        self.assertIn("sync_progress year=2024/data.parquet", lines)
        self.assertEqual(str(names["table"]["close"].type), "decimal128(18, 9)")
        self.assertGreater(names["table"].num_rows, 10)
        self.assertEqual(list(names["frame"].columns), ["symbol", "date", "close"])
