"""Run one worker."""

import os
import secrets
import socket

from django.core.management.base import BaseCommand, CommandParser

from rendering import worker


class Command(BaseCommand):
    """Run one worker: it reads photos and paints them until it is told to end."""

    help = "Run one worker: it reads photos and paints them until it is told to end (Ctrl-C or SIGTERM)."

    def add_arguments(self, parser: CommandParser) -> None:
        """Let the supervisor name the worker."""
        # The token: in a container that starts again host and number are the same, and the name is still taken.
        own = f"{socket.gethostname()}-{os.getpid()}-{secrets.token_hex(2)}"
        parser.add_argument("--name", default=own, help="the worker's name")

    def handle(self, *, name: str, **_: object) -> None:
        """Work until a signal comes."""
        worker.run(name)
