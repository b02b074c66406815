"""A child process that reads pictures under the limits of a worker's child, and tells what became of each.

Run as `python -m tests.rendering.imaging.reader FILE...`: one JSON line per file, with the largest memory so far.
"""

import json
import resource
import sys
import time
from pathlib import Path

from rendering.imaging.decode import decode
from rendering.imaging.header import Limits, Refused

MEMORY = 5 << 29  # 2.5 GiB of addresses
SECONDS = 300


def main(files: list[str]) -> None:
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY, MEMORY))
    resource.setrlimit(resource.RLIMIT_CPU, (SECONDS, SECONDS))
    for file in files:
        started = time.process_time()
        outcome, shape = _outcome(Path(file))
        seconds = round(time.process_time() - started, 3)
        line = {"file": file, "outcome": outcome, "shape": shape, "seconds": seconds, "peak": _peak()}
        sys.stdout.write(json.dumps(line) + "\n")
        sys.stdout.flush()


def _outcome(file: Path) -> tuple[str, list[int]]:
    try:
        with file.open("rb") as opened:
            pixels = decode(opened, limits=Limits(), long_edge=1024).pixels
    except Refused as refused:
        return refused.code, []
    return "read", list(pixels.shape)


def _peak() -> int:
    """The most memory that this process held, in bytes; getrusage() would count the parent's before the start."""
    status = Path("/proc/self/status").read_text(encoding="ascii")
    line = next(line for line in status.splitlines() if line.startswith("VmHWM:"))
    return int(line.split()[1]) * 1024


if __name__ == "__main__":
    main(sys.argv[1:] or sys.stdin.read().splitlines())
