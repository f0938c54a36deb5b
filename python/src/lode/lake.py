"""A lake and the commands on it."""

from __future__ import annotations

import decimal
import os
import pathlib
import shutil
import tempfile
from typing import TYPE_CHECKING, Any, Iterable, List, Optional, Sequence, Tuple, Union

from . import bronze
from .errors import ProgramNotFoundError, UsageError, error_of
from .process import Event, Result, Stream, run
from .words import Day, Path, Symbols, command_words, symbols_text

if TYPE_CHECKING:
    import duckdb
    import pyarrow


_TRIES = 3


class Lake:
    """A lake folder and the program that keeps it: `program`, else $LODE_PROGRAM, else `lode` in the PATH.

    Nothing is opened or kept between calls; a Lake may be used by several threads. Every method runs a command to its end
    and raises a LodeError by its exit code, but for what it is asked to find out: `gaps` returns gaps.
    """

    def __init__(self, path: Path, *, config: Optional[Path] = None, env_file: Optional[Path] = None,
                 program: Optional[Path] = None) -> None:
        self.path = pathlib.Path(path)
        self.config = None if config is None else pathlib.Path(config)
        self.env_file = None if env_file is None else pathlib.Path(env_file)
        self.program = _find_program(program)

    def __repr__(self) -> str:
        return f"Lake({os.fspath(self.path)!r})"

    # --- any command ---

    def command(self, command: str, *words: Any, **options: Any) -> List[str]:
        """The command line that run() and stream() start."""
        line = [self.program, f"--lake={self.path}", "--json"]
        if self.config is not None:
            line.append(f"--config={self.config}")
        if self.env_file is not None:
            line.append(f"--env-file={self.env_file}")
        return line + command_words(command, words, options)

    def run(self, command: str, *words: Any, check: bool = True, **options: Any) -> Result:
        """`lode COMMAND WORDS --OPTIONS`: run("jobs fetch", "daily", no_wait=True).

        With `check`, an exit code other than 0 is an exception. Ctrl-C stops lode; the KeyboardInterrupt comes when lode
        has ended.
        """
        result = run(self.command(command, *words, **options))
        if check and result.exit_code != 0:
            raise error_of(result)
        return result

    def stream(self, command: str, *words: Any, check: bool = True, **options: Any) -> Stream:
        """As run(), event by event while the command runs."""
        return Stream(self.command(command, *words, **options), check)

    # --- commands ---

    def init(self, *, recipe: Optional[str] = None, dry_run: bool = False) -> Result:
        """Makes the lake, or declares a recipe's datasets in it."""
        return self.run("init", recipe=recipe, dry_run=dry_run)

    def plan(self, *datasets: str, start: Optional[Day] = None, end: Optional[Day] = None, days: Optional[int] = None,
             backfill_years: Optional[int] = None, all: bool = False, include_short_data: bool = False,
             symbols: Optional[Symbols] = None, refetch: bool = False, gaps_file: Optional[Path] = None,
             retry_failed: bool = False, trust_ledger: bool = False) -> List[Event]:
        """What sync() with the same arguments would ask for, and its cost: a `plan` event a dataset. Changes nothing."""
        return self.run("plan", *datasets, start=start, end=end, days=days, backfill_years=backfill_years, all=all,
                        include_short_data=include_short_data, symbols=symbols_text(symbols), refetch=refetch,
                        gaps_file=gaps_file, retry_failed=retry_failed, trust_ledger=trust_ledger).of("plan")

    def sync(self, *datasets: str, start: Optional[Day] = None, end: Optional[Day] = None, days: Optional[int] = None,
             backfill_years: Optional[int] = None, all: bool = False, include_short_data: bool = False,
             symbols: Optional[Symbols] = None, refetch: bool = False, gaps_file: Optional[Path] = None,
             retry_failed: bool = False, trust_ledger: bool = False, max_concurrent: Optional[int] = None,
             rate: Optional[float] = None, max_cost: Optional[float] = None, dry_run: bool = False) -> Result:
        """Asks the vendors for what is missing. May cost money, up to `max_cost` USD (default 10)."""
        return self.run("sync", *datasets, start=start, end=end, days=days, backfill_years=backfill_years, all=all,
                        include_short_data=include_short_data, symbols=symbols_text(symbols), refetch=refetch,
                        gaps_file=gaps_file, retry_failed=retry_failed, trust_ledger=trust_ledger,
                        max_concurrent=max_concurrent, rate=rate, max_cost=max_cost, dry_run=dry_run)

    def import_(self, *paths: Path, dataset: Optional[str] = None, no_manifest: bool = False, in_place: bool = False,
                refetch: bool = False, map: Optional[Path] = None, dry_run: bool = False) -> Result:
        """Takes vendor files on disk into a dataset."""
        return self.run("import", *paths, dataset=dataset, no_manifest=no_manifest, in_place=in_place, refetch=refetch,
                        map=map, dry_run=dry_run)

    def load(self, *datasets: str, to: str, dry_run: bool = False) -> Result:
        """Brings a warehouse's tables up to the lake: to="duckdb"."""
        return self.run("load", *datasets, to=to, dry_run=dry_run)

    def run_pipeline(self, name: str, *, dry_run: bool = False) -> Result:
        """The steps of a pipeline of lode.toml."""
        return self.run("run", name, dry_run=dry_run)

    def verify(self, *datasets_or_paths: Path, quick: bool = False) -> Result:
        """Reads every byte and compares it with the receipts; damage is an IncompleteError whose events name it."""
        return self.run("verify", *datasets_or_paths, quick=quick)

    def datasets(self) -> List[Event]:
        """The lake's datasets, a `dataset` event each."""
        return self.run("datasets").of("dataset")

    def status(self, *datasets: str, files: bool = False, symbols: bool = False, to: Optional[str] = None) -> List[Event]:
        """What is there and what is missing: a `status` event a dataset, and the others of docs/exit-codes.md."""
        return self.run("status", *datasets, files=files, symbols=symbols, to=to).events

    def gaps(self, *datasets: str, start: Optional[Day] = None, end: Optional[Day] = None, output: Optional[Path] = None,
             remote: bool = False, all: bool = False, trust_ledger: bool = False) -> List[Event]:
        """Missing days as ranges, a `gap` event each; none: nothing is missing. With `all` also `settled` events."""
        result = self.run("gaps", *datasets, check=False, start=start, end=end, output=output, remote=remote, all=all,
                          trust_ledger=trust_ledger)
        if result.exit_code not in (0, 4) or result.of("error"):
            raise error_of(result)
        return result.of("gap", "settled")

    def explain(self, cell: str) -> Result:
        """The whole story of a cell: DATASET/SYMBOL/DAY, or DATASET/DAY for every symbol."""
        return self.run("explain", cell)

    def calendar(self, name: Optional[str] = None, *, start: Optional[Day] = None,
                 end: Optional[Day] = None) -> List[Event]:
        """The calendars there are, or the `session` and `holiday` events of one."""
        words = () if name is None else (name,)
        return self.run("calendar", *words, start=start, end=end).of("calendar", "session", "holiday")

    # --- rows ---

    def query(self, sql: str) -> List[Event]:
        """The rows of SQL over the lake, needing no other package.

        Numbers with a decimal point are decimal.Decimal, as exact as lode writes them; times are texts.
        """
        result = run(self.command("query", _sql(sql)), parse_float=decimal.Decimal)
        if result.exit_code != 0:
            raise error_of(result)
        return result.events

    def query_arrow(self, sql: str) -> pyarrow.Table:
        """The rows of one SELECT over the lake, with their SQL types."""
        parquet = bronze.need_parquet()
        with tempfile.TemporaryDirectory(prefix="lode-query.") as folder:
            file = pathlib.Path(folder) / "rows.parquet"
            target = str(file).replace("'", "''")
            self.run("query", f"COPY (\n{sql.strip().rstrip(';')}\n) TO '{target}' (FORMAT parquet)")
            return parquet.read_table(file, partitioning=None)

    def table(self, dataset: str, symbols: Optional[Symbols] = None, start: Optional[Day] = None,
              end: Optional[Day] = None, columns: Optional[Sequence[str]] = None) -> pyarrow.Table:
        """Rows of a dataset's bronze as an Arrow table: of these symbols, of the days from `start` to `end` (inclusive).

        Days and symbols are those of docs/python.md; prices stay decimals. Each file is read as one whole version, also
        while a sync replaces it.
        """
        selection = bronze.Selection.of(symbols, start, end, columns)
        tries = _TRIES
        while True:
            files = bronze.files(self.path, dataset, selection)
            if files is None:
                schema = bronze.Schema.named(self._schema_of(dataset))
                return bronze.select(self._without_rows(dataset), schema, selection)
            try:
                return bronze.read(files, selection)
            except FileNotFoundError:  # removed since it was listed
                tries -= 1
                if tries == 0:
                    raise

    def relation(self, dataset: str, symbols: Optional[Symbols] = None, start: Optional[Day] = None,
                 end: Optional[Day] = None, columns: Optional[Sequence[str]] = None,
                 connection: Optional[duckdb.DuckDBPyConnection] = None) -> duckdb.DuckDBPyRelation:
        """The rows of table() as a DuckDB relation, read when it is used.

        A file that a sync replaces meanwhile can make the query fail; it is never answered with wrong rows.
        """
        selection = bronze.Selection.of(symbols, start, end, columns)
        connection = bronze.need_duckdb().default_connection() if connection is None else connection
        files = bronze.files(self.path, dataset, selection)
        if files is None:
            return connection.from_arrow(self.table(dataset, symbols, start, end, columns))
        return bronze.relation(files, selection, connection)

    def _schema_of(self, dataset: str) -> str:
        known = {str(event["dataset"]): str(event["schema"]) for event in self.datasets()}
        if dataset not in known:
            raise UsageError(f"no dataset {dataset} in {self.path}; there is {', '.join(known) or 'none'}")
        return known[dataset]

    def _without_rows(self, dataset: str) -> pyarrow.Table:
        """The columns of a dataset that has no file: as its view has them, without what views compute."""
        self._schema_of(dataset)
        try:
            table = self.query_arrow(f"SELECT * FROM {dataset} LIMIT 0")
        except UsageError as error:
            raise UsageError(f"{dataset} has no files: nothing came yet, or they were removed; `lode gaps {dataset}` tells",
                             error.result) from error
        return table.drop_columns([name for name in table.column_names if name.endswith("_f64")])


def _sql(sql: str) -> str:
    return "\n" + sql if sql.startswith("-") else sql  # a comment is no flag


def _find_program(given: Optional[Path]) -> str:
    name = os.fspath(given) if given is not None else os.environ.get("LODE_PROGRAM") or "lode"
    found = shutil.which(name)
    if found is not None:
        return os.path.abspath(found)
    if given is None and not os.environ.get("LODE_PROGRAM"):
        raise ProgramNotFoundError("no program lode in the PATH; give program=, or set LODE_PROGRAM to it")
    raise ProgramNotFoundError(f"{name} is no program that can be run")
