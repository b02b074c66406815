"""Typed readers of the environment and the .env file, loud on a bad value."""

import os
from pathlib import Path
from urllib.parse import urlsplit
from zoneinfo import ZoneInfo

from django.core.exceptions import ImproperlyConfigured
from dotenv import load_dotenv

TRUE = frozenset({"1", "true", "yes", "on"})
FALSE = frozenset({"0", "false", "no", "off"})


def load(path: Path) -> None:
    """Read a .env file, if there is one; the environment itself wins."""
    load_dotenv(path)


def text(name: str, default: str = "") -> str:
    """Return a text."""
    return os.environ.get(name, "").strip() or default


def texts(name: str, default: str = "") -> list[str]:
    """Return a list of texts that are separated by commas."""
    return [part.strip() for part in text(name, default).split(",") if part.strip()]


def flag(name: str, *, default: bool) -> bool:
    """Return a yes or no; raise ImproperlyConfigured for any other word."""
    word = text(name, "yes" if default else "no").lower()
    if word not in TRUE | FALSE:
        message = f"{name} must be yes or no, not {word!r}."
        raise ImproperlyConfigured(message)
    return word in TRUE


def whole(name: str, default: int, *, low: int, high: int) -> int:
    """Return a whole number; raise ImproperlyConfigured for another word or outside low to high."""
    word = text(name, str(default))
    try:
        number = int(word)
    except ValueError:
        number = low - 1
    if not low <= number <= high:
        message = f"{name} must be a whole number from {low:,} to {high:,}, not {word!r}."
        raise ImproperlyConfigured(message)
    return number


def amount(name: str, default: float, *, high: float) -> float:
    """Return an amount such as 0.05; raise ImproperlyConfigured for another word, or outside 0 to high."""
    word = text(name, str(default))
    try:
        number = float(word)
    except ValueError:
        number = -1.0
    if not 0 <= number <= high:
        message = f"{name} must be a number from 0 to {high:,.0f} with a dot for the decimals, not {word!r}."
        raise ImproperlyConfigured(message)
    return number


def choice(name: str, default: str, options: tuple[str, ...]) -> str:
    """Return one of the options; raise ImproperlyConfigured for another word."""
    word = text(name, default)
    if word not in options:
        message = f"{name} must be one of {', '.join(options)}, not {word!r}."
        raise ImproperlyConfigured(message)
    return word


def address(name: str, default: str, schemes: tuple[str, ...]) -> str:
    """Return an address such as redis://host:6379/0; raise ImproperlyConfigured for another scheme or a bad port."""
    word = text(name, default)
    if word.partition("://")[0] not in schemes:
        message = f"{name} must begin with {' or '.join(scheme + '://' for scheme in schemes)}."
        raise ImproperlyConfigured(message)
    try:
        _ = urlsplit(word).port
    except ValueError as error:
        # Not shown: the address may hold a password.
        message = f"{name} cannot be read: write special characters of a password as %40 for @ and so on ({error})."
        raise ImproperlyConfigured(message) from error
    return word


def time_zone(name: str, default: str) -> str:
    """Return the name of a time zone such as Europe/Berlin; raise ImproperlyConfigured for an unknown one."""
    word = text(name, default)
    try:
        ZoneInfo(word)
    except (KeyError, ValueError, OSError) as error:
        message = f"{name} must be the name of a time zone such as Europe/Berlin, not {word!r}."
        raise ImproperlyConfigured(message) from error
    return word


def folder(name: str, default: Path, *, writable: bool = True) -> Path:
    """Return a folder as an absolute path, made if need be; raise ImproperlyConfigured if it cannot be made or used."""
    path = Path(text(name, str(default))).expanduser().resolve()
    try:
        path.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        message = f"{name}: the folder {path} cannot be made ({error.strerror})."
        raise ImproperlyConfigured(message) from error
    if writable and not os.access(path, os.W_OK | os.X_OK):
        message = f"{name}: nothing can be written into the folder {path}."
        raise ImproperlyConfigured(message)
    return path
