"""The gallery app."""

from django.apps import AppConfig


class GalleryConfig(AppConfig):
    """People and their pages."""

    name = "gallery"
    verbose_name = "Gallery"
