"""The photo's page: versions of a style, its own values with sketches, and every size to take home."""

import re

import pytest
from django.test import Client
from django.urls import reverse

from gallery.models import Artwork, User
from rendering import exports, recipes, store
from rendering.models import Commission, Export, Priority, Source, State
from tests import makers

JSON = {"Accept": "application/json"}


@pytest.fixture
def artwork(alice: User) -> Artwork:
    return makers.artwork(makers.photo(alice))


def page(client: Client, shown: Artwork, /, **query: str) -> str:
    return client.get(reverse("photo", args=[shown.photo.key], query=query)).content.decode()


def values(artwork: Artwork, **changes: object) -> dict[str, object]:
    """Return the artwork's numbers as its form sends them."""
    return {**dict(recipes.parse(artwork.commission.recipe).values), **changes}


def own(artwork: Artwork, **query: str) -> str:
    return reverse("own_values", args=[artwork.key], query=query or None)


def sketch(client: Client, artwork: Artwork, *, json: bool = True, **changes: object):
    address = reverse("sketch", args=[artwork.key], query=values(artwork, **changes))
    return client.get(address, headers=JSON if json else {})


def test_own_values_are_commissioned_and_shown_as_changed(as_alice: Client, artwork: Artwork):
    response = as_alice.post(own(artwork), values(artwork, size=20))

    made = Artwork.objects.latest("pk")
    assert response.headers["Location"] == reverse("photo", args=[artwork.photo.key], query={"artwork": made.key})
    assert (
        recipes.parse(made.commission.recipe).values
        == recipes.compose("oil", look="studio", long_edge=1024, changes={"size": 20}).values
    )
    assert (made.look, made.style, made.full_size) == ("studio", "oil", False)
    shown = page(as_alice, made, artwork=made.key)
    assert "Studio, changed" in shown
    assert re.search(r"<dt>Brush size</dt>\s*<dd>20 px</dd>", shown)


def test_switch_is_said_in_words(as_alice: Client, artwork: Artwork):
    as_alice.post(own(artwork), values(artwork, relative=0))

    made = Artwork.objects.latest("pk")
    knobs = as_alice.get(own(made)).context["form"]
    assert re.search(r"<dt>Brush grows with the picture</dt>\s*<dd>off</dd>", page(as_alice, made, artwork=made.key))
    assert 'data-off="off" data-on="on"' in str(knobs["relative"])
    assert "data-on" not in str(knobs["size"])


def test_same_values_twice_are_one_artwork(as_alice: Client, artwork: Artwork):
    for _ in range(2):
        as_alice.post(own(artwork), values(artwork, size=20))

    assert (Artwork.objects.count(), Commission.objects.count()) == (2, 2)


def test_values_that_are_a_looks_own_are_that_look(as_alice: Client, artwork: Artwork):
    fast = dict(recipes.compose("oil", look="fast", long_edge=1024).values)

    as_alice.post(own(artwork), fast)
    as_alice.post(own(artwork), values(artwork))

    assert [(each.look, each.pk == artwork.pk) for each in Artwork.objects.order_by("pk")] == [
        ("studio", True),
        ("fast", False),
    ]


@pytest.mark.parametrize("wrong", ["65", "0", "-1", "nan", "inf", "", "big", "1e400", "\x00"])
def test_wrong_value_is_refused_in_words_beside_its_field(as_alice: Client, artwork: Artwork, wrong: str):
    response = as_alice.post(own(artwork), values(artwork, size=wrong))

    assert response.context["form"].errors == {"size": ["A number from 1 to 64, please."]}
    assert "A number from 1 to 64, please." in response.content.decode()
    assert Artwork.objects.count() == 1


def test_form_begins_with_the_artworks_values_or_a_looks(as_alice: Client, artwork: Artwork):
    as_alice.post(own(artwork), values(artwork, size=20))
    made = Artwork.objects.latest("pk")

    begun = as_alice.get(own(made)).context["form"]
    fast = as_alice.get(own(made, look="fast")).context["form"]

    assert [begun["size"].value(), begun["softness"].value()] == ["20", "35"]
    assert [fast["size"].value(), fast["softness"].value()] == ["5", "0"]


def test_artwork_of_another_version_has_no_knobs(as_alice: Client, artwork: Artwork):
    Commission.objects.update(recipe=artwork.commission.recipe.replace("oil 1 ", "oil 0 "))

    assert as_alice.get(own(artwork)).status_code == 404
    assert "Studio, changed" not in page(as_alice, artwork)


def test_sketch_is_waited_for_and_sent(as_alice: Client, artwork: Artwork):
    waiting = sketch(as_alice, artwork, size=9)
    export = Export.objects.get()
    file = store.put_export(b"a sketch", extension="jpg")
    Export.objects.update(state=State.DONE, file=file)

    told, sent = sketch(as_alice, artwork, size=9), sketch(as_alice, artwork, json=False, size=9)

    assert (export.recipe.split()[-1], export.priority, export.labeled) == ("@512", Priority.WATCHED, False)
    assert (waiting.status_code, told.status_code) == (202, 200)
    assert (sent.content, sent.headers["Content-Type"], sent.headers["Cache-Control"]) == (
        b"a sketch",
        "image/jpeg",
        "private, no-store",
    )


def test_turning_on_replaces_the_sketch_that_waits_and_leaves_downloads_alone(as_alice: Client, artwork: Artwork):
    as_alice.get(reverse("download", args=[artwork.key], query={"format": "png"}))
    for size in (9, 10, 11):
        sketch(as_alice, artwork, size=size)

    assert sorted(Export.objects.values_list("format", flat=True)) == ["jpeg", "png"]
    assert "size=11" in Export.objects.get(format="jpeg").recipe


def test_sketch_costs_no_allowance_and_no_history(as_alice: Client, artwork: Artwork):
    sketch(as_alice, artwork, size=9)

    assert (Artwork.objects.count(), Commission.objects.count()) == (1, 1)


def test_sketch_of_wrong_values_is_refused(as_alice: Client, artwork: Artwork):
    assert sketch(as_alice, artwork, size=900).status_code == 400
    assert Export.objects.count() == 0


@pytest.mark.parametrize("browser", ["as_bob", "as_staff", "as_admin"])
def test_values_of_others_do_not_exist(request: pytest.FixtureRequest, artwork: Artwork, browser: str):
    somebody: Client = request.getfixturevalue(browser)

    answers = [somebody.get(own(artwork)), somebody.post(own(artwork), values(artwork)), sketch(somebody, artwork)]

    assert [each.status_code for each in answers] == [404, 404, 404]


def test_versions_of_a_style_stand_side_by_side_and_two_are_compared(as_alice: Client, artwork: Artwork):
    classic = makers.artwork(artwork.photo, look="classic")
    makers.artwork(artwork.photo, style="pencil")

    alone = page(as_alice, artwork, artwork=artwork.key)
    pair = page(as_alice, artwork, **{"artwork": artwork.key, "with": classic.key})

    assert alone.count('class="version"') == 2
    assert "Compare the photo and the painting" in alone
    assert "Compare two versions" in pair
    assert reverse("artwork_file", args=[classic.key, 64]) in pair


def test_other_styles_and_other_peoples_paintings_are_not_compared(as_alice: Client, artwork: Artwork, bob: User):
    pencil = makers.artwork(artwork.photo, style="pencil")
    foreign = makers.artwork(makers.photo(bob))

    for other in (pencil, foreign, artwork):
        shown = page(as_alice, artwork, **{"artwork": artwork.key, "with": other.key})
        assert "Compare two versions" not in shown


def test_second_large_picture_lets_the_first_come_and_is_whole_without_scripts(as_alice: Client, artwork: Artwork):
    shown = page(as_alice, artwork, artwork=artwork.key)
    photo, painting = (
        reverse(name, args=[key, 64])
        for name, key in (("photo_file", artwork.photo.key), ("artwork_file", artwork.key))
    )
    thumb = reverse("artwork_file", args=[artwork.key, 48])

    first, second = re.findall(r"<figure class=\"compare-side.*?</figure>", shown, re.DOTALL)
    at_once, _, without_scripts = second.partition("<noscript>")

    assert re.search(rf'<img srcset="{photo} 64w" sizes=[^>]* fetchpriority="high"', first)
    assert f'<img src="{thumb}"' in at_once
    assert f' data-srcset="{painting} 64w"' in at_once
    assert f'<img srcset="{painting} 64w"' in without_scripts
    assert shown.count('fetchpriority="high"') == 1


def test_tabs_show_the_very_file_that_the_card_has_shown(as_alice: Client, alice: User):
    photo = makers.finished_photo(alice)
    strip = re.compile(r'src="(/media/photos/[^"]*/strip-[^"]*)"')

    on_card = strip.findall(as_alice.get(reverse("album")).content.decode())
    on_tabs = strip.findall(as_alice.get(reverse("photo", args=[photo.key])).content.decode())

    assert on_card == on_tabs
    assert len(on_card) == 4
    assert len(set(on_card)) == 1


def test_tab_of_an_older_version_shows_its_own_painting(as_alice: Client, artwork: Artwork):
    makers.artwork(artwork.photo, style="pencil")
    newer = makers.artwork(artwork.photo, look="classic")

    shown = page(as_alice, artwork)
    tabs = re.findall(r'<a class="tab".*?</a>', shown, re.DOTALL)
    alone = [reverse("artwork_file", args=[each.key, 64]) for each in (artwork, newer)]

    assert len(tabs) == 3
    assert [sum(f'src="{address}"' in tab for tab in tabs) for address in alone] == [1, 0]
    assert sum("/strip-" in tab for tab in tabs) == 2


def test_download_offers_every_size_and_says_how_sharp_it_is(as_alice: Client, artwork: Artwork):
    Source.objects.update(width=3600, height=2700)

    shown = page(as_alice, artwork)

    options = re.findall(r'<option value="(\w+)">([^<]*[^<\s])\s*</option>', shown)
    assert [option for option in options if option[0] not in ("jpeg", "png", "webp", "avif")] == [
        ("page", "As it is, 64 × 48"),  # noqa: RUF001 - as people see it
        ("full", "Full size, 3600 × 2700"),  # noqa: RUF001 - as people see it
        ("10x15", "10 × 15 cm, 300 dpi: sharp"),  # noqa: RUF001 - as people see it
        ("a4", "A4, 300 dpi: sharp"),
        ("a3", "A3, 231 dpi: sharp"),
    ]


@pytest.mark.parametrize(("size", "sheet"), [("full", ""), ("a4", "a4"), ("10x15", "10x15")])
def test_larger_download_is_made_of_the_persons_own_photo(as_alice: Client, artwork: Artwork, size: str, sheet: str):
    Source.objects.update(width=3600, height=2700)
    bare = {"format": "jpeg", "size": size, "bare": "on"}

    response = as_alice.get(reverse("download", args=[artwork.key], query=bare))

    export = Export.objects.get()
    assert (response.status_code, export.sheet, export.labeled) == (202, sheet, False)
    assert (export.source, export.recipe.split()[-1]) == (artwork.photo.source, "@full")


def test_size_that_does_not_exist_is_refused_in_words(as_alice: Client, artwork: Artwork):
    response = as_alice.get(reverse("download", args=[artwork.key], query={"size": "a2"}), headers=JSON)

    assert response.status_code == 400
    assert response.json() == {"text": "Paintings are saved as they are, at full size, or for a sheet."}


def test_keys_that_are_off_are_told_to_the_page(as_alice: Client, alice: User, artwork: Artwork):
    on = page(as_alice, artwork)
    User.objects.filter(pk=alice.pk).update(keys_off=True)
    off = page(as_alice, artwork)

    assert ("data-keys-off" in on, "data-keys-off" in off) == (False, True)


@pytest.mark.parametrize(
    ("size", "sheet", "expected"),
    [
        ((6000, 4000), "a4", (3508, 2339, 300)),
        ((4000, 6000), "a4", (2339, 3508, 300)),
        ((1000, 1000), "10x15", (1000, 1000, 254)),
        ((1024, 683), "a3", (1024, 683, 62)),
        ((6000, 100), "10x15", (1772, 30, 300)),
    ],
)
def test_painting_fits_a_sheet_and_is_never_enlarged(size: tuple[int, int], sheet: str, expected: tuple[int, int, int]):
    paper = exports.on_sheet(*size, sheet)

    assert (paper.width, paper.height, paper.dpi) == expected


def test_paintings_of_a_twin_are_saved_at_the_size_of_the_twins_file(as_alice: Client, alice: User, artwork: Artwork):
    copy = makers.photo(alice, title="Copy")
    Source.objects.filter(pk=artwork.photo.source_id).update(width=3600, height=2700)
    own = Artwork.objects.create(
        photo=copy, commission=artwork.commission, style="oil", look="studio", twin=True, created_at=makers.NOON
    )

    as_alice.get(reverse("download", args=[own.key], query={"size": "a4"}))

    assert Export.objects.get().source == artwork.photo.source
