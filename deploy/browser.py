"""Brings what tests need besides packages: Chromium and fonts; by apt-get also PostgreSQL, other browsers, promtool."""

import os
import shutil
import subprocess
import sys
from collections.abc import Sequence

CHROMIUM = ("chromium", "chromium-browser", "google-chrome", "chrome")
PACKAGES = ("chromium", "fonts-noto-cjk", "libatomic1", "postgresql")  # libatomic1: Playwright's own driver needs it
# What each program comes with. Ubuntu has no firefox-esr.
OTHERS = {
    "firefox-esr": ["firefox-esr"],
    "WebKitWebDriver": ["webkit2gtk-driver", "xvfb"],
    "promtool": ["prometheus"],
}
ADVICE = (
    "The browser tests need a Chromium that starts, and none could be installed. As root: "
    "`apt-get install chromium fonts-noto-cjk libatomic1`; or where the network allows it: "
    "`.venv/bin/playwright install --with-deps chromium`. Then `make test` again."
)
LAUNCH = """
import sys
from playwright.sync_api import sync_playwright
with sync_playwright() as playwright:
    playwright.chromium.launch(executable_path=sys.argv[1] or None, args=["--no-sandbox", "--headless=new"]).close()
"""


def main() -> None:
    """Find a Chromium that starts, or install one; end with a sentence when that cannot be."""
    ours = os.geteuid() == 0 and shutil.which("apt-get") is not None
    if not starts():
        bring_chromium(by_apt=ours)
    if ours:
        bring_others()


def bring_chromium(*, by_apt: bool) -> None:
    """Install a Chromium, and look whether it starts."""
    if by_apt:
        say("Installing Chromium, fonts and PostgreSQL for the tests with apt-get ...")
        install(PACKAGES)
    else:
        say("Installing Playwright's own Chromium for the tests ...")
        run(sys.executable, "-m", "playwright", "install", "chromium")
    if not starts():
        sys.exit(ADVICE)


def bring_others() -> None:
    """Install what single tests need; without it they say that they were left out."""
    lacking = [package for program in OTHERS if shutil.which(program) is None for package in OTHERS[program]]
    if lacking:
        say(f"Installing {', '.join(lacking)} for the tests with apt-get ...")
        install(lacking)


def install(packages: Sequence[str]) -> None:
    """Install packages with apt-get, which knows nothing on a fresh machine before it has looked."""
    run("apt-get", "update", "-qq")
    run("apt-get", "install", "-y", "-qq", "--no-install-recommends", *packages)


def starts() -> bool:
    """Whether CHROMIUM, the system's Chromium or Playwright's own starts under Playwright, as in the tests."""
    program = os.environ.get("CHROMIUM") or next(filter(None, map(shutil.which, CHROMIUM)), "")
    command = [sys.executable, "-c", LAUNCH, program]
    return not subprocess.run(command, check=False, capture_output=True).returncode  # noqa: S603 - our own command line


def run(*command: str) -> None:
    """Run a command; whether it helped is looked at afterwards."""
    environment = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
    subprocess.run(command, env=environment, stdin=subprocess.DEVNULL, check=False)  # noqa: S603 - our own command line


def say(line: str) -> None:
    """Show a line at once."""
    sys.stdout.write(line + "\n")
    sys.stdout.flush()


if __name__ == "__main__":
    main()
