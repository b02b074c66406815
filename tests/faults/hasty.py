"""The product's settings for workers and caretakers of tests, which cannot wait as long."""

from artworkshop.settings import *  # noqa: F403 - all but the waits

TEND_SECONDS = 1
LEASE_SECONDS = 5  # workers tell every quarter of it that they live
