"""The worker's door: ids in, one call a job."""

from rendering import exports, renditions, sources


def read_source(source_id: int) -> None:
    """Read a source."""
    sources.read(source_id)


def paint(source_id: int) -> None:
    """Paint what a source's canvases still need."""
    renditions.paint(source_id)


def make_export(export_id: int) -> None:
    """Make a file that somebody wants to save."""
    exports.make(export_id)
