"""A run of the program: its events while they come, its exit code and stderr at the end.

Both pipes are read by one loop, so neither can fill up while the other is waited for, and the loop ends with the
process, even when a process of its own still holds the pipes. The caller's thread does all the work.
"""

from __future__ import annotations

import collections
import dataclasses
import json
import os
import selectors
import signal
import subprocess
import time
from typing import Any, Callable, Deque, Dict, Iterator, List, Optional

from .errors import LodeError, ProgramNotFoundError, error_of

Event = Dict[str, Any]
ParseFloat = Callable[[str], Any]

_LOOK_S = 0.1      # between two looks whether the process has ended
_QUIET_S = 1.0     # how long an ended process's pipes must be silent where another still holds them
_OWN_END_S = 0.3   # a terminal's Ctrl-C reaches lode too: the time it has to end by that


@dataclasses.dataclass(frozen=True)
class Result:
    """What a command gave."""

    command: List[str]
    exit_code: int
    events: List[Event]
    stderr: List[str]

    def of(self, *types: str) -> List[Event]:
        """The events of these types, in their order."""
        return [event for event in self.events if event.get("type") in types]

    @property
    def warnings(self) -> List[str]:
        """What lode warned of, without the word."""
        return [line[len("warning: "):] for line in self.stderr if line.startswith("warning: ")]


class Stream(Iterator[Event]):
    """Events of a command that runs. Leaving the `with` block, or close(), stops it and waits for its end.

    `result` is there when the events are over; its `events` are empty, they were handed out. With `check`, an exit code
    other than 0 raises at the end.
    """

    def __init__(self, command: List[str], check: bool = True, parse_float: ParseFloat = float) -> None:
        self.result: Optional[Result] = None
        self._command, self._check, self._parse_float = command, check, parse_float
        self._ready: Deque[Event] = collections.deque()
        self._error: List[Event] = []
        self._process = _Process(command)

    def __iter__(self) -> Stream:
        return self

    def __next__(self) -> Event:
        while not self._ready:
            if self.result is not None:
                raise StopIteration
            try:
                lines = self._process.read()
                if lines is not None:
                    self._ready.extend(self._parse(line) for line in lines)
            except BaseException:  # Ctrl-C too: lode is told, and waited for
                self.close()
                raise
            if lines is None:
                self._end()
        event = self._ready.popleft()
        if event.get("type") == "error":
            self._error = [event]
        return event

    def __enter__(self) -> Stream:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def __del__(self) -> None:
        if hasattr(self, "_process"):
            self.close()

    def close(self) -> None:
        """Asks lode to stop, if it runs, and waits for it. A second Ctrl-C ends it at once."""
        if self.result is None:
            exit_code = self._process.stop()
            self._ready.clear()
            self.result = Result(self._command, exit_code, [], self._process.stderr_lines())

    def _end(self) -> None:
        self.result = Result(self._command, self._process.wait(), [], self._process.stderr_lines())
        if self._check and self.result.exit_code != 0:
            raise error_of(dataclasses.replace(self.result, events=self._error))

    def _parse(self, line: bytes) -> Event:
        try:
            event = json.loads(line, parse_float=self._parse_float)
        except ValueError:
            event = None
        if isinstance(event, dict):
            return event
        raise LodeError(f"not an event of lode's: {line[:200]!r}; is {self._command[0]} the program lode?")


def run(command: List[str], parse_float: ParseFloat = float) -> Result:
    """Runs a command to its end, whatever its exit code. Ctrl-C stops lode; KeyboardInterrupt is raised when it has ended."""
    with Stream(command, check=False, parse_float=parse_float) as stream:
        events = list(stream)
    assert stream.result is not None
    return dataclasses.replace(stream.result, events=events)


class _Process:
    def __init__(self, command: List[str]) -> None:
        try:
            self._process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                                             stderr=subprocess.PIPE)
        except OSError as error:
            raise ProgramNotFoundError(f"cannot run {command[0]}: {error.strerror or error}") from error
        self._pending = b""
        self._stderr = bytearray()
        self._selector = selectors.DefaultSelector()
        assert self._process.stdout is not None and self._process.stderr is not None
        self._pipes = (self._process.stdout, self._process.stderr)
        for pipe in self._pipes:
            self._selector.register(pipe, selectors.EVENT_READ)
        self._heard = time.monotonic()

    def read(self) -> Optional[List[bytes]]:
        """The next lines of stdout, none of them when nothing came for a moment; None at the end."""
        if not self._selector.get_map():
            return None
        lines: List[bytes] = []
        ready = self._selector.select(_LOOK_S)
        for key, _ in ready:
            data = os.read(key.fd, 1 << 16)
            if not data:
                self._selector.unregister(key.fileobj)
            elif key.fileobj is self._process.stderr:
                self._stderr += data
            else:
                *lines, self._pending = (self._pending + data).split(b"\n")
        now = time.monotonic()
        if ready:
            self._heard = now
        elif self._process.poll() is not None and now - self._heard > _QUIET_S:
            for pipe in list(self._selector.get_map().values()):
                self._selector.unregister(pipe.fileobj)
        # What is left without the end of a line is of a process that was killed while it wrote.
        return [line for line in lines if line]

    def wait(self) -> int:
        """The exit code, when the pipes are at their end."""
        self._close()
        return self._process.wait()

    def stop(self) -> int:
        """Ends the process in good order: it drops the unit in hand. At once, when even that is interrupted."""
        tell_at: Optional[float] = time.monotonic() + _OWN_END_S
        try:
            while self._process.poll() is None:
                if tell_at is not None and time.monotonic() >= tell_at:
                    # Not SIGINT: a second one of a kind ends lode at once, and the terminal may have sent one.
                    self._process.send_signal(signal.SIGTERM)
                    tell_at = None
                if self.read() is None:
                    time.sleep(_LOOK_S)
            while self.read() is not None:
                pass
        except BaseException:
            self._process.kill()  # nothing is published half
            raise
        finally:
            self._close()
            code = self._process.wait()
        return code

    def stderr_lines(self) -> List[str]:
        return self._stderr.decode("utf-8", "replace").splitlines()

    def _close(self) -> None:
        self._selector.close()
        for pipe in self._pipes:
            pipe.close()
