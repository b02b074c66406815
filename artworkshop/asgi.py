"""The ASGI application."""

import os
import tempfile
from typing import cast

from django.conf import settings
from django.core.asgi import get_asgi_application

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "artworkshop.settings")

_django = get_asgi_application()

# They need the apps, which the line above loads.
from artworkshop import live, threads, unchanged  # noqa: E402
from gallery import uploads  # noqa: E402

# Django spools a request's body before it looks at it; it shall not fill the system's own small folder.
tempfile.tempdir = settings.FILE_UPLOAD_TEMP_DIR

_served = uploads.bounded(threads.in_front_of(cast("uploads.Application", _django)))
application = live.in_front_of(unchanged.in_front_of(_served))
