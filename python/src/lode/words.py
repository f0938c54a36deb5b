"""Python values as the words of lode's command line."""

from __future__ import annotations

import datetime
import os
from typing import Any, Iterable, List, Mapping, Optional, Union

Day = Union[datetime.date, str]
Path = Union[str, "os.PathLike[str]"]
Symbols = Union[str, Iterable[str]]


def command_words(command: str, words: Iterable[Any], options: Mapping[str, Any]) -> List[str]:
    """`sync`, `["futures_1d"]`, `{"max_cost": 5, "dry_run": True}` as `sync futures_1d --max-cost=5 --dry-run`.

    None and False leave an option out, True gives the flag alone, a sequence is joined by commas; lode itself says which
    options there are. A trailing underscore is Python's affair.
    """
    line = command.split()
    for word in words:
        text = _text(word, "argument")
        if text.startswith("-"):
            raise ValueError(f"an argument may not begin with '-': {text}")
        line.append(text)
    for name, value in options.items():
        flag = "--" + name.rstrip("_").replace("_", "-")
        if value is None or value is False:
            continue
        # With '=', so that a value may begin with '-': --start=-7d.
        line.append(flag if value is True else f"{flag}={_text(value, flag)}")
    return line


def symbols_text(symbols: Optional[Symbols]) -> Optional[str]:
    """Symbols as `--symbols` wants them: a text is what lode takes (`A,B`, `@LIST`, a file), else one symbol an item."""
    if symbols is None or isinstance(symbols, str):
        return symbols
    return _joined(symbols, "--symbols")


def day_of(value: Day, today: Optional[datetime.date] = None) -> datetime.date:
    """A day as lode's flags take it: a date, `2024-01-31`, `today`, `yesterday`, `-7d`; days are UTC."""
    today = today or datetime.datetime.now(datetime.timezone.utc).date()
    if isinstance(value, datetime.date):
        return datetime.date.fromisoformat(day_text(value))
    if value == "today":
        return today
    if value == "yesterday":
        return today - datetime.timedelta(days=1)
    if value.startswith("-") and value.endswith("d") and value[1:-1].isdigit():
        return today - datetime.timedelta(days=int(value[1:-1]))
    try:
        if len(value) != 10:  # Python's own reading of ISO differs from version to version
            raise ValueError
        return datetime.date.fromisoformat(value)
    except ValueError:
        raise ValueError(f"not a day: {value!r} (give a date, 2024-01-31, today, yesterday or -7d)") from None


def day_text(value: datetime.date) -> str:
    """The day of a date, also of a datetime (pandas' Timestamp) that is midnight."""
    if isinstance(value, datetime.datetime):
        if value.time() != datetime.time(0) or value.utcoffset():
            raise ValueError(f"{value} is an instant; a day of UTC is wanted")
        value = value.date()
    return value.isoformat()


def _text(value: Any, what: str) -> str:
    if isinstance(value, str):
        return value
    if isinstance(value, datetime.date):
        return day_text(value)
    if isinstance(value, bool) or value is None:
        raise TypeError(f"{what} is {value}")
    if isinstance(value, (int, float)):
        return repr(value)
    if isinstance(value, os.PathLike):
        return str(os.fspath(value))
    if isinstance(value, Iterable):
        return _joined(value, what)
    raise TypeError(f"{what}: {type(value).__name__} is nothing lode takes")


def _joined(items: Iterable[Any], what: str) -> str:
    texts = [_text(item, what) for item in items]
    for text in texts:
        if "," in text or not text:
            raise ValueError(f"{what}: not one item of a list: {text!r}")
    if not texts:
        raise ValueError(f"{what}: an empty list; leave it out instead")
    return ",".join(texts)
