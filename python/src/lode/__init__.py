"""Run lode and read its market-data lake; docs/python.md."""

from .errors import (
    BusyError,
    IncompleteError,
    Interrupted,
    LodeError,
    PartialError,
    ProgramNotFoundError,
    RefusedError,
    StorageError,
    UsageError,
)
from .lake import Lake
from .process import Event, Result, Stream

__version__ = "0.1.0"

__all__ = [
    "BusyError",
    "Event",
    "IncompleteError",
    "Interrupted",
    "Lake",
    "LodeError",
    "PartialError",
    "ProgramNotFoundError",
    "RefusedError",
    "Result",
    "StorageError",
    "Stream",
    "UsageError",
]
