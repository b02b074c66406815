"""The product's settings for workers and caretakers of tests, which cannot wait as long."""

from artworkshop.settings import *  # noqa: F403 - all but the waits

TEND_SECONDS = 1
QUIET_SECONDS = 2
LEASE_SECONDS = 7  # workers tell every five that they live
