"""Settings of a worker whose time is short, and whose oil paints in C code that hears no alarm."""

import hashlib
import time

from django.apps import AppConfig

from artworkshop.settings import *  # noqa: F403 - all but the time limits

SECONDS = 4
GRACE = 1.0
INSTALLED_APPS = [*INSTALLED_APPS, "tests.rendering.deaf.Deaf"]  # noqa: F405 - the site's


class Deaf(AppConfig):
    """Replaces what paints before the worker forks."""

    name = "tests.rendering.deaf"
    label = "deaf"

    def ready(self) -> None:
        """Have oil hear nothing and watercolor dawdle."""
        from rendering import pipeline, renditions, supervision  # noqa: PLC0415 - the apps must be ready before

        paint_on = pipeline.paint_on

        def paint(bench, recipe):
            if recipe.style == "oil":
                hashlib.pbkdf2_hmac("sha256", b"", b"", 200_000_000)  # minutes, without a look at signals
            if recipe.style == "watercolor":
                time.sleep(600)
            return paint_on(bench, recipe)

        pipeline.paint_on = paint
        renditions.seconds_for = lambda *_, **__: SECONDS
        supervision.GRACE = GRACE
