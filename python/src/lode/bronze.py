"""Rows of a dataset's Parquet files: which column holds the symbol and which the day (docs/schemas.md), which files can
hold a day (docs/layout.md), and reading them without Hive's columns, which no file has.

A file is opened once and read from that handle: one whole version of its partition, whatever replaces it meanwhile.
"""

from __future__ import annotations

import dataclasses
import datetime
import importlib
import json
import pathlib
import re
from typing import TYPE_CHECKING, Any, Dict, Iterator, List, Optional, Sequence, Tuple

from .words import Day, Symbols, day_of

if TYPE_CHECKING:
    import duckdb
    import pyarrow

_NAME = re.compile(r"[a-z][a-z0-9_]*")
_PART = re.compile(r"day=([12]\d{3}-\d{2}-\d{2})|month=([12]\d{3}-\d{2})|year=([12]\d{3})")
# Where nanoseconds since 1970 fit 64 bits; no row of lode's is out of it.
_NS_FIRST, _NS_LAST = datetime.date(1678, 1, 1), datetime.date(2261, 12, 31)

_DAY_OF_REST_TABLE = {
    "dividends": "ex_dividend_date",
    "splits": "execution_date",
    "ipos": "listing_date",
    "short_interest": "settlement_date",
    "short_volume": "date",
    "news": "published_utc",
    "balance_sheets": "filing_date",
    "cash_flow_statements": "filing_date",
    "income_statements": "filing_date",
    "financials": "filing_date",
    "ratios": "as_of",
    "tickers": "as_of",
    "ticker_types": "as_of",
    "exchanges": "as_of",
    "market_holidays": "as_of",
    "ticker_events": "as_of",
    "related_companies": "as_of",
}


@dataclasses.dataclass(frozen=True)
class Schema:
    """Which columns say what a row is about. `day`: the first that is not null counts; `tickers` is a JSON list."""

    name: str
    symbol: Tuple[str, ...]
    day: Tuple[str, ...]

    @staticmethod
    def named(name: str) -> Schema:
        vendor, _, table = name.partition("/")
        if vendor == "fred":
            return Schema(name, ("series_id",), ("date",))
        if vendor == "tardis":
            return Schema(name, ("symbol",), ("local_timestamp",))
        if vendor == "polygon":
            return Schema(name, ("ticker", "tickers"), (_DAY_OF_REST_TABLE.get(table, "session_date"),))
        if vendor.startswith("us_"):
            return Schema(name, ("ticker",), ("session_date",))
        if vendor.startswith("ohlcv-"):
            return Schema(name, ("symbol",), ("ts_event",))
        return Schema(name, ("symbol",), ("ts_recv", "ts_event"))

    def symbol_column(self, names: Sequence[str]) -> str:
        for column in self.symbol:
            if column in names:
                return column
        raise ValueError(f"{self.name} has no symbols to choose by")

    def day_columns(self, names: Sequence[str]) -> List[str]:
        columns = [column for column in self.day if column in names]
        if not columns:
            raise ValueError(f"{self.name} has no column of days that this package knows")
        return columns


@dataclasses.dataclass(frozen=True)
class Selection:
    """Rows and columns that are wanted; None: all."""

    symbols: Optional[List[str]]
    first: Optional[datetime.date]
    last: Optional[datetime.date]
    columns: Optional[List[str]]

    @staticmethod
    def of(symbols: Optional[Symbols], start: Optional[Day], end: Optional[Day],
           columns: Optional[Sequence[str]]) -> Selection:
        if isinstance(symbols, str):
            symbols = symbols.split(",")
        names = None if symbols is None else list(symbols)
        for name in names or ():
            if name.startswith("@") or name.endswith((".FUT", ".OPT")):
                raise ValueError(f"{name} stands for many symbols; rows have single ones (bars of Databento also `root`)")
        if isinstance(columns, str):
            raise TypeError("columns is a list of names")
        first, last = (None if day is None else day_of(day) for day in (start, end))
        if first is not None and last is not None and last < first:
            raise ValueError(f"the range ends ({last}) before it starts ({first})")
        return Selection(names, first, last, None if columns is None else list(columns))

    def has_days(self) -> bool:
        return (self.first, self.last) != (None, None)

    def can_be_in(self, days: Tuple[datetime.date, datetime.date]) -> bool:
        return (self.first is None or days[1] >= self.first) and (self.last is None or days[0] <= self.last)

    def projected(self, names: Sequence[str]) -> Optional[List[str]]:
        unknown = [column for column in self.columns or () if column not in names]
        if unknown:
            raise ValueError(f"no column {', '.join(unknown)}; there is {', '.join(names)}")
        return self.columns


@dataclasses.dataclass(frozen=True)
class Files:
    """The files of a dataset that can have rows of a selection."""

    chosen: List[pathlib.Path]
    any: pathlib.Path     # one file, chosen or not: what the columns are
    by_day: bool          # each holds one day, so the choice of files is that of days


def files(lake: pathlib.Path, dataset: str, selection: Selection) -> Optional[Files]:
    """None when the dataset has no file."""
    if not _NAME.fullmatch(dataset):
        raise ValueError(f"not a dataset's name: {dataset!r}")
    folder = lake / "bronze" / dataset
    paths = sorted(folder.rglob("*.parquet"))
    if not paths:
        return None
    days = [_days_of(path.relative_to(folder)) for path in paths]
    chosen = [path for path, span in zip(paths, days) if selection.can_be_in(span)]
    return Files(chosen, paths[0], by_day=all(first == last for first, last in days))


def read(found: Files, selection: Selection) -> pyarrow.Table:
    tables = [_read_file(path, selection, found.by_day) for path in found.chosen]
    if not tables:
        tables = [_read_file(found.any, selection, found.by_day).slice(0, 0)]
    return _need("pyarrow", "arrow").concat_tables(tables, promote_options="default").replace_schema_metadata(None)


def select(table: pyarrow.Table, schema: Schema, selection: Selection) -> pyarrow.Table:
    """The same of a table in memory."""
    columns = selection.projected(table.column_names)
    condition = _condition(schema, table.schema, selection, by_day=False)
    table = table if condition is None else table.filter(condition)
    return table if columns is None else table.select(columns)


def relation(found: Files, selection: Selection, connection: duckdb.DuckDBPyConnection) -> duckdb.DuckDBPyRelation:
    physical = _fragment(found.any).physical_schema
    columns = selection.projected(physical.names)
    paths = [str(path) for path in found.chosen or [found.any]]
    rows = connection.read_parquet(paths, hive_partitioning=False, union_by_name=True)
    for condition in _sql_conditions(_schema_of(physical), physical, selection, found.by_day):
        rows = rows.filter(condition)
    if not found.chosen:
        rows = rows.filter("false")
    return rows if columns is None else rows.project(", ".join(map(_quoted, columns)))


def _days_of(path: pathlib.PurePath) -> Tuple[datetime.date, datetime.date]:
    """The days a partition can hold, by its name: `day=2024-01-02`, `month=2024-01`, `year=2024` of any layout."""
    first, last = datetime.date.min, datetime.date.max
    for part in path.parts[:-1]:
        match = _PART.fullmatch(part)
        if match is None:
            continue
        unit, text = ("day", match[1]) if match[1] else ("month", match[2]) if match[2] else ("year", match[3])
        begin = datetime.date.fromisoformat(text + {"day": "", "month": "-01", "year": "-01-01"}[unit])
        if unit == "day":
            return begin, begin
        following = begin.replace(day=28, month=begin.month if unit == "month" else 12) + datetime.timedelta(days=4)
        first, last = max(first, begin), min(last, following - datetime.timedelta(days=following.day))
    return first, last


def _fragment(path: pathlib.Path) -> Any:
    pyarrow, dataset = _need("pyarrow", "arrow"), _need("pyarrow.dataset", "arrow")
    return dataset.ParquetFileFormat().make_fragment(pyarrow.OSFile(str(path)))


def _read_file(path: pathlib.Path, selection: Selection, by_day: bool) -> pyarrow.Table:
    fragment = _fragment(path)
    physical = fragment.physical_schema
    condition = _condition(_schema_of(physical), physical, selection, by_day)
    return fragment.to_table(columns=selection.projected(physical.names), filter=condition)


def _schema_of(physical: pyarrow.Schema) -> Schema:
    name = (physical.metadata or {}).get(b"lode.schema")
    if name is None:
        raise ValueError("a file of the dataset is none of lode's: it has no lode.schema")
    return Schema.named(name.decode())


def _condition(schema: Schema, physical: pyarrow.Schema, selection: Selection, by_day: bool) -> Any:
    """The rows as an Arrow expression; None: all."""
    import pyarrow
    import pyarrow.compute as compute

    conditions = []
    if selection.symbols is not None:
        column = compute.field(schema.symbol_column(physical.names))
        if schema.symbol_column(physical.names) == "tickers":
            named = [compute.match_substring(column, json.dumps(symbol)) for symbol in selection.symbols]
            conditions.append(_any_of(named) if named else pyarrow.scalar(False))
        else:
            conditions.append(column.isin(pyarrow.array(selection.symbols, pyarrow.string())))
    if not by_day and selection.has_days():
        columns = schema.day_columns(physical.names)
        day = compute.field(columns[0]) if len(columns) == 1 else compute.coalesce(*map(compute.field, columns))
        conditions.extend(_day_conditions(day, physical.field(columns[0]).type, selection))
    result = None
    for condition in conditions:
        result = condition if result is None else result & condition
    return result


def _any_of(conditions: List[Any]) -> Any:
    result = conditions[0]
    for condition in conditions[1:]:
        result = result | condition
    return result


def _day_conditions(day: Any, kind: pyarrow.DataType, selection: Selection) -> Iterator[Any]:
    import pyarrow

    first, last = selection.first, selection.last
    if pyarrow.types.is_date(kind):
        if first is not None:
            yield day >= pyarrow.scalar(first, kind)
        if last is not None:
            yield day <= pyarrow.scalar(last, kind)
        return
    # DuckDB and Arrow cannot compare nanoseconds with what does not fit them.
    if first is not None and first >= _NS_FIRST:
        yield day >= pyarrow.scalar(_midnight(first), kind)
    if last is not None and last < _NS_LAST:
        yield day < pyarrow.scalar(_midnight(last) + datetime.timedelta(days=1), kind)


def _sql_conditions(schema: Schema, physical: pyarrow.Schema, selection: Selection, by_day: bool) -> Iterator[str]:
    """The rows as conditions of DuckDB's SQL."""
    names = physical.names
    if selection.symbols is not None:
        column = schema.symbol_column(names)
        if not selection.symbols:
            yield "false"
        elif column == "tickers":
            yield " OR ".join(f"contains(tickers, {_literal(json.dumps(symbol))})" for symbol in selection.symbols)
        else:
            yield f"{_quoted(column)} IN ({', '.join(map(_literal, selection.symbols))})"
    if by_day or not selection.has_days():
        return
    day = ", ".join(map(_quoted, schema.day_columns(names)))
    if selection.first is not None and selection.first >= _NS_FIRST:
        yield f"coalesce({day}) >= TIMESTAMP '{selection.first}'"
    if selection.last is not None and selection.last < _NS_LAST:
        yield f"coalesce({day}) < TIMESTAMP '{selection.last + datetime.timedelta(days=1)}'"


def _midnight(day: datetime.date) -> datetime.datetime:
    return datetime.datetime.combine(day, datetime.time(0))


def _quoted(name: str) -> str:
    return '"' + name.replace('"', '""') + '"'


def _literal(text: str) -> str:
    return "'" + text.replace("'", "''") + "'"


def need_parquet() -> Any:
    return _need("pyarrow.parquet", "arrow")


def need_duckdb() -> Any:
    return _need("duckdb", "duckdb")


def _need(module: str, extra: str) -> Any:
    try:
        return importlib.import_module(module)
    except ImportError as error:
        raise ImportError(f"{module.split('.')[0]} is needed for this: pip install 'lode[{extra}]'") from error
