"""Keeps programs running: starts what ended, passes on what they say, and ends them all in time."""

import json
import os
import selectors
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import IO

from artworkshop.standalone import CannotStart

LAUNCHER = Path(__file__).with_name("launch.py")
FIRST_PAUSE, LONGEST_PAUSE = 0.5, 30.0
STEADY = 30.0  # who ran for so long begins again with the first pause
PATIENCE = 3.3  # seconds to end in peace; web servers need up to 3 for requests that are under way
LONGEST_LINE = 65536


@dataclass(frozen=True)
class Program:
    """A command line and how it is kept.

    A program that is not `lasting` may end by itself. One that is `needed` ends after all others. The `files` are
    descriptors that it inherits. Lines with one of the `muted` texts are not passed on.
    """

    name: str
    command: tuple[str, ...]
    files: tuple[int, ...] = ()
    lasting: bool = True
    needed: bool = False
    muted: tuple[str, ...] = ()


class Child:
    """A program as it runs now, or waits for its next start."""

    def __init__(self, program: Program) -> None:
        self.program = program
        self.failures = 0
        self.starts = 0
        self.start()

    def start(self) -> None:
        """Start the program in a process group of its own, out of reach of the terminal's Ctrl-C."""
        # Workers tell this of themselves, so that staff see who has to be started again and again.
        told = {"PROGRAM": self.program.name, "RESTARTS": str(self.starts)}
        told["ENDED"] = self.ending() if self.starts else ""
        self.starts += 1
        self.due: float | None = None
        self.since = time.monotonic()
        # The kernel watches the thread that starts a child: this must be the main one.
        self.run = subprocess.Popen(  # noqa: S603 - our own command line, without a shell
            [sys.executable, "-I", "-S", str(LAUNCHER), str(os.getpid()), *self.program.command],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            pass_fds=self.program.files,
            process_group=0,
            env={**os.environ, **told, "PYTHONUNBUFFERED": "1"},
        )

    @property
    def alive(self) -> bool:
        """Whether it runs."""
        return self.run.poll() is None

    def pause(self) -> float:
        """Return the seconds until it may start again, twice as many after each quick end."""
        self.failures = 0 if time.monotonic() - self.since > STEADY else self.failures + 1
        seconds = min(LONGEST_PAUSE, FIRST_PAUSE * 2.0 ** max(0, self.failures - 1))
        self.due = time.monotonic() + seconds
        return seconds

    def signal(self, number: int) -> None:
        """Send a signal to the program and to what it started in its group."""
        try:
            os.killpg(self.run.pid, number)
        except (ProcessLookupError, PermissionError):
            return  # it has ended; macOS says so with PermissionError

    def ending(self) -> str:
        """Return in words how it ended."""
        status = self.run.returncode
        return f"signal {signal.Signals(-status).name}" if status < 0 else f"status {status}"


class Lines:
    """The whole lines of one pipe, as they come."""

    def __init__(self, program: Program, pipe: IO[bytes]) -> None:
        self.program = program
        self.pipe = pipe
        self.rest = b""

    def add(self, piece: bytes) -> list[str]:
        """Return the lines that this piece completes; an empty piece is the end."""
        *whole, self.rest = (self.rest + piece).split(b"\n")
        if self.rest and (not piece or len(self.rest) > LONGEST_LINE):
            whole.append(self.rest)
            self.rest = b""
        texts = (line.decode(errors="replace") for line in whole)
        return [self._labelled(text) for text in texts if not any(map(text.__contains__, self.program.muted))]

    def _labelled(self, text: str) -> str:
        if text.startswith('{"'):
            # A log line of JSON stays one.
            return f'{{"program": {json.dumps(self.program.name)}, {text[1:]}'
        return f"[{self.program.name}] {text}"


class Supervisor:
    """Runs programs from the calling thread alone; `say` gets each line."""

    def __init__(self, say: Callable[[str], None]) -> None:
        self.say = say
        self.children: list[Child] = []
        self.selector = selectors.DefaultSelector()

    def start(self, program: Program) -> Child:
        """Start a program and look after it from now on."""
        child = Child(program)
        self.children.append(child)
        self._listen(child)
        return child

    def wait(self, ready: Callable[[], object], *, child: Child, seconds: float) -> None:
        """Wait until something holds; raise CannotStart when the child ends before, or the time is up."""
        deadline = time.monotonic() + seconds
        while not ready():
            if not child.alive:
                self._hear(0.1)
                message = f"{child.program.name} ended before its time ({child.ending()}); what it said is above."
                raise CannotStart(message)
            if time.monotonic() > deadline:
                message = f"{child.program.name} was not ready within {seconds:.0f} s."
                raise CannotStart(message)
            self._hear(0.05)

    def finish(self, child: Child, *, seconds: float) -> None:
        """Wait until a program that does not last is done; raise CannotStart when it fails or the time is up."""
        self.wait(lambda: child.run.poll() == 0, child=child, seconds=seconds)
        self._hear(0.1)
        self.children.remove(child)

    def keep_running(self) -> None:
        """Start again whatever ends, for ever: only an exception such as KeyboardInterrupt leads out."""
        while True:
            now = time.monotonic()
            dues = [child.due - now for child in self.children if child.due is not None]
            # An ended child closes its pipe, which wakes this up; a second is for those whose own children hold it.
            self._hear(max(0.0, min([1.0, *dues])))
            for child in self.children:
                self._revive(child)

    def stop(self) -> None:
        """End all programs, those that others need last, within five seconds."""
        try:
            self._end([child for child in self.children if not child.program.needed], PATIENCE)
            self._end(self.children, 1.0)
        finally:
            for child in self.children:
                child.signal(signal.SIGKILL)
                child.run.wait()
            self._close()

    def _listen(self, child: Child) -> None:
        pipe = child.run.stdout
        if pipe is not None:
            self.selector.register(pipe, selectors.EVENT_READ, Lines(child.program, pipe))

    def _hear(self, seconds: float) -> None:
        for key, _ in self.selector.select(seconds):
            piece = os.read(key.fd, LONGEST_LINE)
            for line in key.data.add(piece):
                self.say(line)
            if not piece:
                self.selector.unregister(key.fileobj)
                key.data.pipe.close()

    def _close(self) -> None:
        # What was said last is in the pipes still; whoever left a child's group may hold one open for ever.
        self._hear(0)
        for key in list(self.selector.get_map().values()):
            key.data.pipe.close()
        self.selector.close()

    def _revive(self, child: Child) -> None:
        if child.due is not None and time.monotonic() >= child.due:
            child.start()
            self._listen(child)
        elif child.due is None and child.program.lasting and not child.alive:
            child.signal(signal.SIGKILL)  # what it left in its group
            self.say(f"{child.program.name} ended ({child.ending()}): starting it again in {child.pause():.1f} s.")

    def _end(self, children: Iterable[Child], seconds: float) -> None:
        ending = [child for child in children if child.alive]
        for child in ending:
            child.signal(signal.SIGTERM)
        deadline = time.monotonic() + seconds
        while any(child.alive for child in ending) and time.monotonic() < deadline:
            self._hear(0.05)
        for child in ending:
            if child.alive:
                self.say(f"{child.program.name} did not end in time and was stopped.")
            child.signal(signal.SIGKILL)
