#!/usr/bin/env python3
"""The command line of the Art Workshop."""

import os
import sys

from django.core.exceptions import ImproperlyConfigured
from django.core.management import execute_from_command_line


def main() -> None:
    """Run a command; a bad setting ends it with one sentence and status 2."""
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "artworkshop.settings")
    try:
        execute_from_command_line(sys.argv)
    except ImproperlyConfigured as error:
        sys.stderr.write(f"{error}\n")
        sys.exit(2)


if __name__ == "__main__":
    main()
