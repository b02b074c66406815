"""Benches and the soak: how fast, how much is saved, and what lasts. Each is `python -m tests.load.NAME`."""

import os

import django

# What starts the product's processes asks Django's settings where things are: those of the tests, in a folder of
# their own. A bench is no test run: nothing else makes Django ready here.
os.environ.setdefault("DJANGO_SETTINGS_MODULE", "tests.settings")
django.setup()
