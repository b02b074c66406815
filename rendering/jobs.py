"""The worker's door: one job, one call."""

from rendering import turns


def take_turn() -> None:
    """Do what is next, for a few seconds."""
    turns.take()
