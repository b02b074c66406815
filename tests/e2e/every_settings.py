"""Settings of the product that shows every page: the site's own, with languages that nobody speaks, and its errors."""

import os
from pathlib import Path

from artworkshop.settings import *  # noqa: F403 - these are the site's own
from tests.e2e import pseudo

LANGUAGES = [*LANGUAGES, (pseudo.LONGER, "Pseudo"), (pseudo.FROM_THE_RIGHT, "oduesP")]  # noqa: F405
LOCALE_PATHS = [Path(os.environ["PSEUDO_LOCALES"]), *LOCALE_PATHS]  # noqa: F405
ROOT_URLCONF = "tests.e2e.every_urls"
