"""Run the whole product."""

import os
import signal
import sys
from contextlib import suppress
from types import FrameType

from django.core.management.base import BaseCommand

from artworkshop.standalone import CannotStart, product

ENDINGS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


class Command(BaseCommand):
    """Run queue, web server, workers and caretaker until Ctrl-C or SIGTERM."""

    help = "Run the whole product here: queue server, web server, workers and caretaker, until Ctrl-C or SIGTERM."
    requires_system_checks = []  # they cost a second of each start; `make test` and `manage.py doctor` run them

    def handle(self, **_: object) -> None:
        """Run; end with status 1 and a sentence when the start is refused."""
        for number in ENDINGS:
            # Who started this with nohup wants it to outlive the terminal.
            if number != signal.SIGHUP or signal.getsignal(number) != signal.SIG_IGN:
                signal.signal(number, _end)
        try:
            product.run(self._say)
        except CannotStart as refusal:
            self.stderr.write(str(refusal))
            sys.exit(1)
        except KeyboardInterrupt:
            self._say("The Art Workshop is closed.")
            # All children are gone; taking down the libraries in memory would cost a busy machine another second.
            os._exit(0)

    def _say(self, line: str) -> None:
        try:
            self.stdout.write(line)
            self.stdout.flush()
        except OSError:
            # The terminal or the reader of the pipe is gone: go on without them.
            with suppress(OSError):
                os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def _end(number: int, frame: FrameType | None) -> None:
    # Some senders signal twice: the orderly end, which takes five seconds at most, must not be cut short by that.
    for each in ENDINGS:
        signal.signal(each, signal.SIG_IGN)
    raise KeyboardInterrupt
