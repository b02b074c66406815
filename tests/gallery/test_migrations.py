"""What migrations make of rows that were there before."""

import importlib
from functools import partial

import pytest
from django.apps import apps
from django.db import connection

from gallery import artworks
from gallery.models import Artwork, User
from tests import makers
from tests.makers import NOON

pytestmark = pytest.mark.django_db


def test_own_values_are_read_from_the_recipes_of_earlier_rows(alice: User):
    photo = makers.photo(alice)
    ask = partial(artworks.commission, photo, look="classic", full_size=False, now=NOON)
    plain = ask(styles=["oil", "pencil"])
    [own] = ask(styles=["oil"], changes={"relief": 30, "size": 7})
    Artwork.objects.update(own_values={})

    migration = importlib.import_module("gallery.migrations.0006_own_values")
    migration.read_from_recipes(apps, connection.SchemaEditorClass(connection))

    found = {artwork.pk: artwork.own_values for artwork in Artwork.objects.all()}
    assert found == {**{each.pk: {} for each in plain}, own.pk: {"relief": 30}}
