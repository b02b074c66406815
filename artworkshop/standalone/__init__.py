"""The product under one command: queue server, web server, workers and caretaker on one machine."""


class CannotStart(Exception):  # noqa: N818 - it reads as the sentence that it carries, as in `raise CannotStart("...")`
    """The start ends here; the text is one sentence for the person at the terminal."""
