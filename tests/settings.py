"""Settings of the tests: the site's own, on a data folder of their own."""

import atexit
import os
import shutil
import tempfile
from pathlib import Path

if "TEST_DATA_DIR" in os.environ:
    os.environ["DATA_DIR"] = os.environ["TEST_DATA_DIR"]
else:
    os.environ["DATA_DIR"] = tempfile.mkdtemp(prefix="artworkshop-test-")
    atexit.register(shutil.rmtree, os.environ["DATA_DIR"], ignore_errors=True)
# Compiled kernels outlive a run: compiling them takes longer than most tests.
os.environ.setdefault("KERNEL_CACHE", str(Path(__file__).resolve().parent.parent / "var" / "kernels"))

from artworkshop.settings import *  # noqa: F403 - the data folder must be set before

PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]  # the real one costs seconds
EMAIL_BACKEND = "django.core.mail.backends.locmem.EmailBackend"
STORAGES = {**STORAGES, "staticfiles": {"BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"}}  # noqa: F405

# A file, not memory: workers that are started as subprocesses see the same rows.
DATABASES["default"]["TEST"] = {"NAME": str(DATA_DIR / "tests.sqlite3")} if "sqlite" in DATABASE_URL else {}  # noqa: F405
