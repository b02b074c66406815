"""Artworks say which of their numbers a person chose: the next version of a style may have another look."""

from django.apps.registry import Apps
from django.db import migrations, models
from django.db.backends.base.schema import BaseDatabaseSchemaEditor

from rendering import recipes, styles
from rendering.styles.base import ParameterError, Style

BATCH = 500


def read_from_recipes(apps: Apps, schema_editor: BaseDatabaseSchemaEditor) -> None:
    """Keep what differs from the look, while the looks are those that it was painted in."""
    artworks = apps.get_model("gallery", "Artwork").objects
    for style in styles.CATALOG:
        for look in style.looks:
            usual = recipes.compose(style.name, look=look, long_edge=1).text.rpartition("@")[0]
            theirs = artworks.filter(style=style.name, look=look).exclude(commission__recipe__startswith=usual)
            changed = []
            for artwork in theirs.select_related("commission").iterator(chunk_size=BATCH):
                artwork.own_values = _differing(style, look, artwork.commission.recipe)
                changed.append(artwork)
            artworks.bulk_update([each for each in changed if each.own_values], ["own_values"], batch_size=BATCH)


def _differing(style: Style, look: str, text: str) -> dict[str, float]:
    try:
        recipe = recipes.parse(text)
    except ParameterError:
        return {}
    if recipe.version != style.version:
        return {}
    usual = style.values(look)
    return {name: value for name, value in recipe.values if usual[name] != value}


class Migration(migrations.Migration):
    """A column, and what earlier rows have in it."""

    dependencies = [("gallery", "0005_traffic")]

    operations = [
        migrations.AddField("artwork", "own_values", models.JSONField(default=dict)),
        migrations.RunPython(read_from_recipes, migrations.RunPython.noop),
    ]
