"""Firefox and WebKitGTK as Debian has them, in the few words of WebDriver that a visitor needs.

Playwright drives browsers of its own making, and Debian has no geckodriver. So Firefox is told what to do as that would
tell it (Marionette), and WebKit by the driver that comes with it. A command has the same name for both.
"""

import base64
import json
import os
import shutil
import socket
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager, suppress
from dataclasses import dataclass
from http.client import HTTPConnection
from io import BufferedIOBase
from itertools import count
from pathlib import Path
from typing import Any

from tests.processes import Running, free_port, start, wait_until

SECONDS = 30
WIDTH, HEIGHT = 1350, 900
ELEMENT = "element-6066-11e4-a52e-4f735466cecf"  # the protocol's own word for an element
HABITS = {
    "marionette.port": 0,
    "intl.accept_languages": "en-US",
    "ui.prefersReducedMotion": 1,
    # Nobody outside is asked for news, experiments or updates.
    "app.normandy.enabled": False,
    "app.update.enabled": False,
    "browser.shell.checkDefaultBrowser": False,
    "datareporting.policy.dataSubmissionEnabled": False,
    "network.captive-portal-service.enabled": False,
    "network.connectivity-service.enabled": False,
    "services.settings.server": "",
    "toolkit.telemetry.enabled": False,
}
WAYS = {
    "Navigate": ("POST", "url"),
    "FindElement": ("POST", "element"),
    "ElementClick": ("POST", "element/{id}/click"),
    "ElementSendKeys": ("POST", "element/{id}/value"),
    "TakeScreenshot": ("GET", "element/{id}/screenshot"),
    "ExecuteScript": ("POST", "execute/sync"),
    "SetWindowRect": ("POST", "window/rect"),
    "DeleteAllCookies": ("DELETE", "cookie"),
}
Say = Callable[[str, dict[str, object]], Any]  # Any: what a browser answers


class Refused(Exception):  # noqa: N818 - reads as what it says: the browser refused
    """The browser could not do what it was told."""


@dataclass(frozen=True)
class Window:
    """A browser's window, and what somebody does in it."""

    say: Say

    def go(self, address: str) -> None:
        """Open a page."""
        self.say("Navigate", {"url": address})

    def press(self, selector: str) -> None:
        """Click what this selector finds, as soon as it is shown; that something lies over it is a failure."""
        self.see("document.querySelector(arguments[0])?.checkVisibility()", selector)
        # WebKit's driver does not scroll up to what is above.
        self.run("document.querySelector(arguments[0]).scrollIntoView({block: 'center'})", selector)
        self.say("ElementClick", {"id": self._find(selector)})

    def type(self, selector: str, text: str) -> None:
        """Type into what this selector finds; where files are chosen, their paths, a line each."""
        self.see("document.querySelector(arguments[0])", selector)
        self.say("ElementSendKeys", {"id": self._find(selector), "text": text})

    def run(self, script: str, *arguments: object) -> Any:  # Any: what a script returns
        """Run a script in the page, and return what it returns."""
        return self.say("ExecuteScript", {"script": script, "args": list(arguments)})

    def see(self, condition: str, *arguments: object, seconds: float = SECONDS) -> None:
        """Wait until an expression of the page is true."""

        def is_true() -> bool:
            with suppress(Refused):  # between two pages there is none
                return bool(self.run(f"return Boolean({condition})", *arguments))
            return False

        try:
            wait_until(is_true, seconds=seconds, pause=0.1)
        except AssertionError as error:
            raise AssertionError(
                f"never seen: {condition} {arguments} at {self.run('return location.href')}"
            ) from error

    def picture(self, selector: str) -> bytes:
        """Return what an element looks like, as a PNG."""
        return base64.b64decode(self.say("TakeScreenshot", {"id": self._find(selector)}))

    def forget(self) -> None:
        """Become somebody who was never here."""
        self.say("DeleteAllCookies", {})

    def _find(self, selector: str) -> str:
        return str(self.say("FindElement", {"using": "css selector", "value": selector})[ELEMENT])


def lacks(browser: str) -> str:
    """Return in words what is missing for this browser, empty if nothing is."""
    programs = {"firefox": ["firefox-esr"], "webkit": ["WebKitWebDriver", "Xvfb"]}[browser]
    missing = [program for program in programs if not shutil.which(program)]
    return f"{' and '.join(missing)} not installed: see deploy/browser.py" if missing else ""


@contextmanager
def window(browser: str, folder: Path) -> Iterator[Window]:
    """Run Firefox or WebKit with nothing in its memory until it is left; it keeps its things in this folder."""
    with {"firefox": _firefox, "webkit": _webkit}[browser](folder) as say:
        say("SetWindowRect", {"width": WIDTH, "height": HEIGHT})
        yield Window(say)


@contextmanager
def _firefox(folder: Path) -> Iterator[Say]:
    habits = [f"user_pref({json.dumps(name)}, {json.dumps(value)});" for name, value in HABITS.items()]
    (folder / "user.js").write_text("\n".join(habits))
    port = folder / "MarionetteActivePort"
    options = ["--headless", "--marionette", "--no-remote", "--profile", str(folder)]
    with _running(["firefox-esr", *options], {"HOME": str(folder)}):
        wait_until(lambda: port.exists() and port.read_text(), seconds=60, pause=0.1)
        with (
            socket.create_connection(("127.0.0.1", int(port.read_text())), timeout=120) as line,
            line.makefile("rb") as answers,
        ):
            yield _marionette(line, answers)


def _marionette(line: socket.socket, answers: BufferedIOBase) -> Say:
    """Return what says `length:[0, number, command, arguments]` and hears `length:[1, number, error, answer]`."""
    numbers = count(1)

    def read() -> Any:  # Any: whatever JSON says
        length = b""
        while (digit := answers.read(1)) not in (b":", b""):
            length += digit
        return json.loads(answers.read(int(length)))

    def say(command: str, arguments: dict[str, object]) -> Any:  # Any: what a browser answers
        message = json.dumps([0, next(numbers), f"WebDriver:{command}", arguments]).encode()
        line.sendall(b"%d:%s" % (len(message), message))
        _, _, error, answer = read()
        if error:
            raise Refused(f"{error['error']}: {error['message']}")
        return answer.get("value")

    read()  # its greeting
    say("NewSession", {})
    return say


@contextmanager
def _webkit(folder: Path) -> Iterator[Say]:
    port = free_port()
    with _display(folder) as display:
        home = {"HOME": str(folder), "XDG_RUNTIME_DIR": str(folder), "DISPLAY": display, "LANGUAGE": "en_US"}
        with _running(["WebKitWebDriver", f"--port={port}"], home | {"LANG": "en_US.UTF-8"}):
            wait_until(lambda: _listens(port), seconds=20, pause=0.05)
            with closing(HTTPConnection("127.0.0.1", port, timeout=120)) as line:
                wanted = {"webkitgtk:browserOptions": {"binary": str(_mini_browser()), "args": ["--automation"]}}
                made = _ask(line, "POST", "/session", {"capabilities": {"alwaysMatch": wanted}})
                session = f"/session/{made['sessionId']}"
                yield lambda command, arguments: _tell(line, session, command, arguments)
                _ask(line, "DELETE", session, {})


def _tell(line: HTTPConnection, session: str, command: str, arguments: dict[str, object]) -> Any:  # Any: its answer
    method, way = WAYS[command]
    return _ask(line, method, f"{session}/{way.format_map(arguments)}", arguments)


def _ask(line: HTTPConnection, method: str, way: str, arguments: dict[str, object]) -> Any:  # Any: its answer
    line.request(method, way, json.dumps(arguments) if method == "POST" else None)
    value = json.loads(line.getresponse().read())["value"]
    if isinstance(value, dict) and "error" in value:
        raise Refused(f"{value['error']}: {value['message']}")
    return value


@contextmanager
def _display(folder: Path) -> Iterator[str]:
    """Run a screen that nobody sees: WebKitGTK has no way without one."""
    with _running(["Xvfb", "-displayfd", "1", "-screen", "0", "1400x1000x24", "-nolisten", "tcp"], {}) as screen:
        wait_until(lambda: screen.said.strip().isdigit(), seconds=20, pause=0.05)
        yield f":{screen.said.strip()}"


@contextmanager
def _running(command: list[str], environment: dict[str, str]) -> Iterator[Running]:
    program = start(command, environment={**os.environ, **environment})
    try:
        yield program
    finally:
        program.stop()


def _listens(port: int) -> bool:
    with suppress(OSError), socket.create_connection(("127.0.0.1", port), timeout=1):
        return True
    return False


def _mini_browser() -> Path:
    return max(Path("/usr/lib").glob("*/webkit2gtk-4.*/MiniBrowser"))
