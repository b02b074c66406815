"""Uploads a photo in a process that is killed in the middle of it: `killed_upload.py MODULE FUNCTION PERSON FILE`."""

import os
import signal
import sys
from importlib import import_module
from pathlib import Path

import django

django.setup()

from django.utils import timezone  # noqa: E402 - Django must be set up before

from gallery import photos  # noqa: E402
from gallery.models import User  # noqa: E402
from gallery.uploads import HashedUpload  # noqa: E402


def main() -> None:
    """Upload, up to the given function."""
    module, function, person, name = sys.argv[1:]
    setattr(import_module(module), function, _end)
    content = Path(name).read_bytes()
    file = HashedUpload("photo.jpg", "image/jpeg")
    file.add(content, limit=len(content))
    file.flush()
    file.seek(0)
    owner, now = User.objects.get(username=person), timezone.now()
    photos.add_photos(owner=owner, files=[file], styles=["oil"], look="fast", full_size=False, now=now)


def _end(*_: object, **__: object) -> None:
    os.kill(os.getpid(), signal.SIGKILL)


if __name__ == "__main__":
    main()
