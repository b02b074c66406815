"""Compile the painting kernels."""

from django.core.management.base import BaseCommand

from artworkshop.standalone import preparation


class Command(BaseCommand):
    """Compile the painting kernels for this processor, so that no job waits for it."""

    help = "Compile the painting kernels for this processor into KERNEL_CACHE (`up` does it when they changed)."
    requires_system_checks = []

    def handle(self, *, verbosity: int, **_: object) -> None:
        """Compile, and say how long it took."""
        seconds = preparation.compile_kernels()
        if verbosity:
            self.stdout.write(f"The kernels are ready after {seconds:.1f} s.")
