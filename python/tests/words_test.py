"""Python values as words of the command line."""
import datetime
import pathlib
import unittest

from lode import words

DAY = datetime.date(2024, 1, 31)
UTC = datetime.timezone.utc


class WordsTest(unittest.TestCase):
    def check(self, expected, command, *arguments, **options):
        self.assertEqual(words.command_words(command, arguments, options), expected.split())

    def test_values_by_type(self):
        self.check("sync a b --start=2024-01-31 --max-cost=0.5 --max-concurrent=3 --dry-run", "sync", "a", "b", start=DAY,
                   max_cost=0.5, max_concurrent=3, dry_run=True)
        self.check("sync --symbols=ZL.FUT,ZS.FUT", "sync", symbols=["ZL.FUT", "ZS.FUT"])
        self.check("sync --symbols=@cme_core_26", "sync", symbols="@cme_core_26")
        self.check("import some/where --map=m.toml", "import", pathlib.Path("some/where"), map=pathlib.Path("m.toml"))
        self.check("jobs fetch daily --no-wait", "jobs fetch", "daily", no_wait=True)

    def test_what_is_not_given_is_left_out(self):
        self.check("sync", "sync", start=None, refetch=False, symbols=None)

    def test_values_that_begin_with_a_dash(self):
        self.check("gaps --start=-7d", "gaps", start="-7d")
        with self.assertRaisesRegex(ValueError, "may not begin with '-': --refetch"):
            words.command_words("sync", ["--refetch"], {})

    def test_instants_are_no_days(self):
        midnight = datetime.datetime(2024, 1, 31)
        self.check("plan --start=2024-01-31", "plan", start=midnight)
        self.check("plan --start=2024-01-31", "plan", start=midnight.replace(tzinfo=UTC))
        for instant in (midnight.replace(hour=1), midnight.replace(tzinfo=datetime.timezone(datetime.timedelta(hours=1)))):
            with self.assertRaisesRegex(ValueError, "a day of UTC is wanted"):
                words.command_words("plan", [], {"start": instant})

    def test_lists_that_are_none(self):
        for symbols, message in ((["A,B"], "not one item of a list: 'A,B'"), ([""], "not one item"), ([], "an empty list")):
            with self.assertRaisesRegex(ValueError, message):
                words.symbols_text(symbols)
        with self.assertRaises(TypeError):
            words.symbols_text([True])
        with self.assertRaises(TypeError):
            words.command_words("sync", [None], {})
        with self.assertRaisesRegex(TypeError, "object is nothing lode takes"):
            words.command_words("sync", [], {"symbols": object()})

    def test_days_as_the_program_reads_them(self):
        for value, expected in ((DAY, DAY), ("2024-01-31", DAY), ("today", DAY), ("yesterday", datetime.date(2024, 1, 30)),
                                ("-31d", datetime.date(2023, 12, 31))):
            self.assertEqual(words.day_of(value, today=DAY), expected)
        for value in ("2024-02-30", "20240131", "2024-1-31", "tomorrow", "-d", ""):
            with self.assertRaisesRegex(ValueError, "not a day"):
                words.day_of(value)
