"""Why a picture is refused: a code for programs, a sentence for people."""

from typing import Literal, TypeAlias

Reason: TypeAlias = Literal[
    "not_an_image",
    "unsupported_format",
    "too_many_pixels",
    "too_large_side",
    "too_small",
    "too_many_bytes",
    "damaged",
    "too_many_scans",
    "out_of_memory",
    "too_slow",
]


class Refused(Exception):  # noqa: N818 - it is an answer to a person, not an error of the program
    """A picture that is not painted; its text is an English sentence for people."""

    def __init__(self, code: Reason, text: str) -> None:
        """Take the reason code and its sentence."""
        super().__init__(text)
        self.code: Reason = code

    def __reduce__(self) -> tuple[type["Refused"], tuple[Reason, str]]:
        """Let the refusal travel from a child process to its parent."""
        return type(self), (self.code, str(self))
