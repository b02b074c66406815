"""The rendering app."""

from django.apps import AppConfig


class RenderingConfig(AppConfig):
    """Photographs to paintings."""

    name = "rendering"
    verbose_name = "Rendering"
