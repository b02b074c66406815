"""The site's own secret key, made at the first start and kept beside the data."""

import os
import secrets
from pathlib import Path


def secret_key(folder: Path) -> str:
    """Return the key that is kept in the folder; the first caller makes it, readable by its owner alone."""
    path = folder / "secret-key"
    draft = folder / f".secret-key-{os.getpid()}"
    if not path.exists():
        draft.touch(mode=0o600)
        draft.write_text(secrets.token_urlsafe(50))
        # A link is made by exactly one of several processes that start at once.
        try:
            os.link(draft, path)
        except FileExistsError:
            pass
        finally:
            draft.unlink()
    return path.read_text().strip()
