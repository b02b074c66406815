"""Settings of a web process in tests: static files as they are in the repository, without collecting and hashing."""

from artworkshop.settings import *  # noqa: F403 - the site's own

STORAGES = {**STORAGES, "staticfiles": {"BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"}}  # noqa: F405
WHITENOISE_USE_FINDERS = WHITENOISE_AUTOREFRESH = True
