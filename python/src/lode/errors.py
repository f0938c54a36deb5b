"""What went wrong, by lode's exit code (docs/exit-codes.md)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Dict, List, Optional, Type

if TYPE_CHECKING:
    from .process import Result


class LodeError(Exception):
    """lode failed. `message` is its own line; `result` holds the exit code, the events and what it said on stderr."""

    def __init__(self, message: str, result: Optional[Result] = None) -> None:
        super().__init__(message)
        self.message = message
        self.result = result

    @property
    def exit_code(self) -> Optional[int]:
        """lode's exit code, negative when a signal killed it; None when it did not run."""
        return None if self.result is None else self.result.exit_code

    @property
    def events(self) -> List[Dict[str, Any]]:
        return [] if self.result is None else self.result.events

    @property
    def stderr(self) -> List[str]:
        return [] if self.result is None else self.result.stderr


class ProgramNotFoundError(LodeError):
    """There is no program to run."""


class UsageError(LodeError):
    """2: an unknown command, flag, dataset or key, bad SQL, missing input."""


class PartialError(LodeError):
    """3: some units failed, the others are in; run the same again."""


class IncompleteError(LodeError):
    """4: data is incomplete or damaged, or a delivery was refused."""


class RefusedError(LodeError):
    """5: the vendor refused: key, plan, payment, cost cap."""


class StorageError(LodeError):
    """6: disk full, read-only, I/O error."""


class BusyError(LodeError):
    """7: another run holds the dataset."""


class Interrupted(LodeError):
    """130: something stopped lode; nothing is half-published."""


_BY_EXIT_CODE: Dict[int, Type[LodeError]] = {
    2: UsageError,
    3: PartialError,
    4: IncompleteError,
    5: RefusedError,
    6: StorageError,
    7: BusyError,
    130: Interrupted,
}


def error_of(result: Result) -> LodeError:
    """The exception of a result that is no success."""
    return _BY_EXIT_CODE.get(result.exit_code, LodeError)(_message_of(result), result)


def _message_of(result: Result) -> str:
    for event in reversed(result.events):
        if event.get("type") == "error":
            return str(event.get("message"))
    if result.exit_code < 0:
        return f"lode was killed by signal {-result.exit_code}"
    for line in reversed(result.stderr):
        if line.startswith("error: "):
            return line[len("error: "):]
    command = " ".join(result.command[1:])
    return f"lode ended with exit code {result.exit_code}: {command}"
