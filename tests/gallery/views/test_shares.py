"""Share links: their owner's pages, and what whoever has one sees."""

import io
import re
from datetime import timedelta
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone
from PIL import Image
from pytest_django import DjangoAssertNumQueries, Settings

from gallery import accounts, shares
from gallery.models import Artwork, Photo, Share, User
from gallery.shares import Terms
from rendering import recipes, store, strips
from rendering.models import Commission, Rendition, Source, State
from tests import makers
from tests.makers import NOON
from tests.processes import Valkey

SAID = "open sesame"
WIDE = {
    160: makers.jpeg(160, 120),
    480: makers.jpeg(480, 360),
    800: makers.jpeg(800, 600),
    1024: makers.jpeg(1024, 768),
}


@pytest.fixture
def photo(alice: User) -> Photo:
    """Return a photo with a title that tells too much, and a painting."""
    made = makers.photo(alice, title="IMG_2043 Anna at the doctor")
    makers.artwork(made)
    return made


@pytest.fixture
def share(photo: Photo) -> Share:
    return given(photo)


@pytest.fixture
def locked(photo: Photo) -> Share:
    return given(photo, title="For Grandma", password=SAID)


@pytest.fixture
def large(photo: Photo) -> Photo:
    """Return the photo with files as wide as real ones."""
    pages = store.put_pages("photos", WIDE)
    Source.objects.update(folder=pages.folder, widths=pages.widths, canvas_width=1024, canvas_height=768)
    painted = store.put_pages("renditions", WIDE)
    Rendition.objects.update(folder=painted.folder, widths=painted.widths, width=1024, height=768)
    return photo


def given(*shown: Photo, **terms: Any) -> Share:
    return shares.create(owner=shown[0].owner, photos=shown, terms=Terms(**terms), now=NOON)


def page(share: Share) -> str:
    return reverse("shared", args=[share.key])


def addresses(share: Share, photo: Photo, width: int = 64) -> list[str]:
    return [
        page(share),
        reverse("shared_photo", args=[share.key, photo.key]),
        reverse("shared_photo_file", args=[share.key, photo.key, width]),
        reverse("shared_painting_file", args=[share.key, photo.artworks.get().key, width]),
    ]


def statuses(browser: Client, paths: list[str]) -> list[int]:
    return [browser.get(path).status_code for path in paths]


def text(response) -> str:
    return str(response.content.decode())


def wishes(*shown: Photo, **more: str) -> dict[str, object]:
    return {"photos": [photo.key for photo in shown], "lasts": "open", **more}


# The owner's pages


def test_link_is_made_of_chosen_photos(as_alice: Client, alice: User):
    first, second, _other = (makers.photo(alice) for _ in range(3))
    terms = {"title": "Birds", "password": SAID, "full_size": "on"}

    response = as_alice.post(reverse("new_share"), wishes(first, second, **terms))

    made = Share.objects.get()
    assert response.headers["Location"] == f"{reverse('shares')}#share-{made.key}"
    assert set(made.photos.all()) == {first, second}
    assert (made.owner, made.title, made.full_size, made.expires_at) == (alice, "Birds", True, None)
    assert shares.fits(made, SAID)


@pytest.mark.parametrize(("lasts", "days"), [("day", 1), ("week", 7), ("month", 30)])
def test_link_ends_after_a_time(as_alice: Client, photo: Photo, lasts: str, days: int):
    before = timezone.now()

    as_alice.post(reverse("new_share"), wishes(photo, lasts=lasts))

    ends = Share.objects.get().expires_at
    assert ends is not None
    assert before <= ends - timedelta(days=days) <= timezone.now()


def test_link_ends_with_a_day_by_the_clock_of_its_owner(as_alice: Client, photo: Photo):
    as_alice.cookies["zone"] = "Asia/Shanghai"

    as_alice.post(reverse("new_share"), wishes(photo, lasts="until", until="2031-03-04"))

    ends = Share.objects.get().expires_at
    assert ends is not None
    assert ends.isoformat() == "2031-03-04T16:00:00+00:00"


@pytest.mark.parametrize(
    ("sent", "said"),
    [
        ({"photos": []}, "Choose at least one photo."),
        ({"lasts": "until"}, "Choose the last day."),
        ({"lasts": "until", "until": "2020-01-01"}, "This day is over."),
        ({"lasts": "forever"}, "Select a valid choice."),
    ],
)
def test_what_is_not_understood_is_asked_again(as_alice: Client, photo: Photo, sent: dict[str, object], said: str):
    response = as_alice.post(reverse("new_share"), {**wishes(photo), **sent})

    assert said in text(response)
    assert Share.objects.count() == 0


def test_too_many_photos_are_refused(as_alice: Client, alice: User, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(shares, "PHOTOS_A_SHARE", 1)

    response = as_alice.post(reverse("new_share"), wishes(makers.photo(alice), makers.photo(alice)))

    assert "One link shows at most 1 photos." in text(response)


def test_photos_of_others_cannot_be_shared(as_bob: Client, photo: Photo):
    asked = as_bob.get(reverse("new_share"), {"photos": photo.key})
    sent = as_bob.post(reverse("new_share"), wishes(photo))

    assert (asked.status_code, asked.headers["Location"]) == (302, reverse("album"))
    assert photo.key not in text(sent).replace(f"“{photo.key}”", "").replace(f"{photo.key} is not", "")
    assert Share.objects.count() == 0


@pytest.mark.parametrize("separate", [True, False])
def test_form_begins_with_the_photos_that_were_chosen(as_alice: Client, alice: User, separate: bool):
    chosen = [makers.photo(alice) for _ in range(2)]
    other = makers.photo(alice)
    keys = [photo.key for photo in chosen]

    response = as_alice.get(reverse("new_share"), {"photos": keys if separate else ",".join(keys)})

    ticked = re.findall(r'name="photos" value="([\w-]+)" checked', text(response))
    assert set(ticked) == set(keys)
    assert other.key not in text(response)


def test_photo_page_leads_to_the_form(as_alice: Client, photo: Photo):
    assert f'{reverse("new_share")}?photos={photo.key}"' in text(as_alice.get(reverse("photo", args=[photo.key])))


def test_binned_photos_cannot_be_shared(as_alice: Client, photo: Photo):
    Photo.objects.update(removed_at=NOON)

    as_alice.post(reverse("new_share"), wishes(photo))

    assert Share.objects.count() == 0


def test_links_are_listed_with_their_views_and_addresses(as_alice: Client, share: Share, locked: Share):
    Share.objects.filter(pk=share.pk).update(views=7)
    shares.revoke(locked, now=NOON)

    listed = text(as_alice.get(reverse("shares")))

    assert f'value="http://testserver{page(share)}" readonly' in listed
    assert f'value="http://testserver{page(locked)}"' not in listed
    assert "seen 7 times" in listed
    assert reverse("revoke_share", args=[locked.key]) not in listed


@pytest.mark.parametrize("count", [1, 3])
def test_list_asks_a_constant_number_of_queries(
    as_alice: Client, alice: User, count: int, django_assert_num_queries: DjangoAssertNumQueries
):
    for _ in range(count):
        given(makers.photo(alice))
    as_alice.get(reverse("shares"))

    with django_assert_num_queries(4):
        as_alice.get(reverse("shares"))


def test_link_is_changed_and_keeps_its_address(as_alice: Client, alice: User, locked: Share):
    other = makers.photo(alice)
    locked.photos.add(other)

    as_alice.post(reverse("edit_share", args=[locked.key]), wishes(other, title="Birds", lasts="day"))

    locked.refresh_from_db()
    assert list(locked.photos.all()) == [other]
    assert (locked.title, locked.expires_at is None) == ("Birds", False)
    assert shares.fits(locked, SAID)


def test_end_of_a_link_is_kept_unless_another_is_chosen(as_alice: Client, photo: Photo):
    ends = timezone.now() + timedelta(days=3)
    made = given(photo, expires_at=ends)

    as_alice.post(reverse("edit_share", args=[made.key]), wishes(photo, lasts="keep"))

    made.refresh_from_db()
    assert made.expires_at == ends


def test_password_is_taken_away(as_alice: Client, photo: Photo, locked: Share):
    as_alice.post(reverse("edit_share", args=[locked.key]), wishes(photo, without_password="on"))

    assert Client().get(page(locked)).status_code == 200
    locked.refresh_from_db()
    assert locked.password == ""


def test_pages_never_show_a_password(as_alice: Client, locked: Share):
    shown = [text(as_alice.get(path)) for path in (reverse("shares"), reverse("edit_share", args=[locked.key]))]

    assert [locked.password in each or SAID in each for each in shown] == [False, False]


def test_ending_a_link_is_asked_first(as_alice: Client, share: Share):
    as_alice.get(reverse("revoke_share", args=[share.key]))

    share.refresh_from_db()
    assert share.revoked_at is None


@pytest.mark.parametrize("name", ["edit_share", "revoke_share"])
@pytest.mark.parametrize("browser", ["as_bob", "as_staff", "as_admin"])
def test_links_of_others_cannot_be_changed_or_ended(
    request: pytest.FixtureRequest, share: Share, photo: Photo, name: str, browser: str
):
    somebody: Client = request.getfixturevalue(browser)
    path = reverse(name, args=[share.key])

    got = [somebody.get(path).status_code, somebody.post(path, wishes(photo, title="Mine")).status_code]

    share.refresh_from_db()
    assert got == [404, 404]
    assert (share.title, share.revoked_at) == ("", None)


def test_links_of_others_are_not_listed(as_bob: Client, share: Share):
    assert share.key not in text(as_bob.get(reverse("shares")))


def test_ended_link_is_not_changed(as_alice: Client, share: Share, photo: Photo):
    shares.revoke(share, now=NOON)

    got = [
        as_alice.post(reverse(name, args=[share.key]), wishes(photo)).status_code
        for name in ("edit_share", "revoke_share")
    ]

    assert got == [404, 404]


# What visitors see


def test_visitors_see_photos_and_paintings_without_signing_in(share: Share, photo: Photo, client: Client):
    got = [client.get(path) for path in addresses(share, photo)]

    assert [each.status_code for each in got] == [200] * 4
    assert [each.content for each in got[2:]] == [makers.jpeg(), makers.jpeg(64, 48, "maroon")]


def test_pages_tell_nothing_of_the_owner(share: Share, photo: Photo, as_bob: Client):
    makers.artwork(photo, style="pencil")
    share.photos.add(makers.photo(photo.owner, title="Kestrel.jpg"))

    shown = "".join(text(as_bob.get(path)) for path in (page(share), addresses_of_photo(share, photo)))

    told = ("alice", "bob", "IMG_2043", "Anna", "doctor", "Kestrel", "2026", "May")
    assert [word for word in told if word in shown] == []
    assert "Photo 2" in shown


def addresses_of_photo(share: Share, photo: Photo) -> str:
    return reverse("shared_photo", args=[share.key, photo.key])


def test_words_for_those_who_cannot_see_are_shown(share: Share, photo: Photo, client: Client):
    Photo.objects.update(description="A falcon on a glove")

    shown = text(client.get(page(share)))

    assert 'alt="A falcon on a glove"' in shown
    assert 'alt="A falcon on a glove as Oil"' in shown or 'alt="A falcon on a glove as Oil painting"' in shown


def test_grid_leads_to_each_photo_and_on(alice: User, client: Client):
    newest_last = [makers.photo(alice) for _ in range(3)]
    for each in newest_last:
        makers.artwork(each)
    made = given(*newest_last)
    old, middle, new = (addresses_of_photo(made, each) for each in newest_last)

    grid, inner = text(client.get(page(made))), text(client.get(middle))

    assert [grid.count(f'href="{path}"') for path in (old, middle, new)] == [2, 2, 2]
    assert re.findall(r'rel="(\w+)" href="([^"]+)"', inner)[-2:] == [("prev", new), ("next", old)]
    assert "2 / 3" in inner


def test_single_photo_is_shown_at_once(share: Share, client: Client):
    shown = text(client.get(page(share)))

    assert "<ba-compare" in shown
    assert 'rel="next"' not in shown


def test_painting_is_chosen_by_a_link(share: Share, photo: Photo, client: Client):
    pencil = makers.artwork(photo, style="pencil")

    shown = text(client.get(addresses_of_photo(share, photo), {"painting": pencil.key}))

    assert shown.count(reverse("shared_painting_file", args=[share.key, pencil.key, 64])) > 1
    assert re.search(rf'painting={pencil.key}" aria-current="page"', shown)


def test_painting_in_the_owners_own_values_is_named_so(share: Share, photo: Photo, client: Client):
    changed = recipes.compose("oil", look="studio", long_edge=1024, changes={"size": 20})
    Commission.objects.update(recipe=changed.text, recipe_digest=changed.digest)
    makers.artwork(photo, style="pencil")

    shown = text(client.get(addresses_of_photo(share, photo)))

    assert re.findall(r'class="tab-look">([^<]+)<', shown) == ["Studio, changed", "Studio"]


def test_photo_without_paintings_is_shown_alone(alice: User, client: Client):
    made = given(makers.photo(alice))

    shown = text(client.get(page(made)))

    assert (
        "<ba-compare" in shown,
        reverse("shared_photo_file", args=[made.key, made.photos.get().key, 64]) in shown,
    ) == (
        False,
        True,
    )


def strip(share: Share, photo: Photo) -> str:
    return f"{reverse('shared_strip_file', args=[share.key, photo.key])}?of=pencil,color-pencil,oil,watercolor"


def test_grid_shows_the_paintings_of_a_photo_in_one_file_that_is_asked_again(alice: User, client: Client):
    first, second = makers.finished_photo(alice), makers.finished_photo(alice)
    made = given(first, second)

    shown = text(client.get(page(made)))
    answer = client.get(strip(made, first))
    again = client.get(strip(made, first), headers={"If-None-Match": answer.headers["ETag"]})

    assert {f' src="{strip(made, each)}"' in shown for each in (first, second)} == {True}
    assert Image.open(io.BytesIO(answer.content)).size == (4 * strips.CELL, strips.CELL)
    assert answer.headers["Cache-Control"] == "private, no-cache"
    assert (again.status_code, again.content) == (304, b"")


def test_grid_is_sharp_in_its_first_row_small_in_its_second_and_waits_below(alice: User, client: Client):
    shown = [makers.photo(alice) for _ in range(7)]
    pages = store.put_pages("photos", WIDE)
    Source.objects.update(folder=pages.folder, widths=pages.widths, canvas_width=1024, canvas_height=768)
    made = given(*shown)

    cards = re.findall(r"<article.*?</article>", text(client.get(page(made))), re.DOTALL)
    keys = [re.findall(r"media/photos/([\w-]+)/", card)[0] for card in cards]
    small, large = ([reverse("shared_photo_file", args=[made.key, key, width]) for key in keys] for width in (160, 480))
    ways = [
        "sharp"
        if f'<img src="{whole}"' in card.partition("<noscript>")[0]
        else "small"
        if f'<img src="{thumb}"' in card and f'data-sharp="{whole}"' in card
        else "waits"
        if f'data-src="{whole}"' in card
        else ""
        for card, thumb, whole in zip(cards, small, large, strict=True)
    ]

    assert ways == ["sharp", "sharp", "sharp", "small", "small", "small", "waits"]
    # Without scripts as well there is a file of 480 pixels on every card.
    assert all(f' src="{whole}"' in card for card, whole in zip(cards, large, strict=True))


def test_strip_shows_nothing_that_the_share_does_not(as_alice: Client, alice: User, client: Client):
    photo, other = makers.finished_photo(alice), makers.finished_photo(alice)
    made, behind_a_door = given(photo), given(photo, password=SAID)
    unwanted = strip(made, photo).replace("?of=", "?of=nothing,")

    got = [client.get(each).status_code for each in (strip(made, other), strip(behind_a_door, photo), unwanted)]
    photo.artworks.all().delete()

    assert [*got, client.get(strip(made, photo)).status_code] == [404, 404, 200, 404]


@pytest.mark.parametrize("count", [2, 4])
def test_grid_asks_a_constant_number_of_queries(
    alice: User, client: Client, count: int, django_assert_num_queries: DjangoAssertNumQueries
):
    made = given(*[makers.finished_photo(alice) for _ in range(count)])
    client.get(page(made))

    with django_assert_num_queries(4):
        client.get(page(made))


def test_grid_has_pages(alice: User, client: Client):
    made = given(*[makers.photo(alice) for _ in range(25)])

    second = text(client.get(page(made), {"page": "2"}))

    assert re.findall(r"Photo \d+(?=</a>)", second) == ["Photo 25"]


@pytest.mark.parametrize("which", range(4))
def test_nothing_is_found_by_search_or_told_to_other_sites(share: Share, photo: Photo, client: Client, which: int):
    headers = client.get(addresses(share, photo)[which]).headers

    assert headers["X-Robots-Tag"] == "noindex, nofollow, noarchive"
    assert headers["Referrer-Policy"] == "no-referrer"
    assert "private" in headers["Cache-Control"]


def test_pages_are_not_kept_and_files_are_asked_again(share: Share, photo: Photo, client: Client):
    page_headers, *_rest, file_headers = (client.get(path).headers for path in addresses(share, photo))
    again = client.get(addresses(share, photo)[3], headers={"If-None-Match": file_headers["ETag"]})

    assert "no-store" in page_headers["Cache-Control"]
    assert file_headers["Cache-Control"] == "private, no-cache"
    assert file_headers["Content-Security-Policy"] == "default-src 'none'; sandbox"
    assert (again.status_code, again.content) == (304, b"")


def test_page_is_marked_for_robots(share: Share, client: Client):
    assert '<meta name="robots" content="noindex">' in text(client.get(page(share)))


# Sizes


@pytest.mark.parametrize(("full_size", "last"), [(False, 404), (True, 200)])
def test_largest_files_are_given_only_when_allowed(large: Photo, client: Client, full_size: bool, last: int):
    made = given(large, full_size=full_size)

    small = [statuses(client, addresses(made, large, width)[2:]) for width in (160, 480, 800)]

    assert small == [[200, 200]] * 3
    assert statuses(client, addresses(made, large, 1024)[2:]) == [last, last]


@pytest.mark.parametrize("full_size", [False, True])
def test_pages_name_only_files_that_are_given(large: Photo, client: Client, full_size: bool):
    made = given(large, full_size=full_size)

    named = set(re.findall(r"/s/[\w/-]+\.jpg", text(client.get(page(made)))))

    assert {client.get(path).status_code for path in named} == {200}
    assert any("/1024.jpg" in path for path in named) == full_size


@pytest.mark.parametrize("width", [0, 1, 63, 10**30])
def test_widths_that_were_not_made_do_not_exist(share: Share, photo: Photo, client: Client, width: int):
    assert statuses(client, addresses(share, photo, width)[2:]) == [404, 404]


# What does not exist


def test_files_of_photos_that_are_not_shared_do_not_exist(share: Share, alice: User, bob: User, client: Client):
    others = [makers.photo(alice), makers.photo(bob)]
    for other in others:
        makers.artwork(other)

    assert [statuses(client, addresses(share, other)[1:]) for other in others] == [[404, 404, 404]] * 2


def test_file_of_one_share_is_not_had_by_another(alice: User, client: Client):
    first, second = makers.photo(alice), makers.photo(alice)
    for each in (first, second):
        makers.artwork(each)
    one, other = given(first), given(second)

    assert statuses(client, addresses(one, second)[1:]) == [404] * 3
    assert statuses(client, addresses(other, second)[1:]) == [200] * 3


def test_addresses_of_a_share_open_nothing_else(share: Share, photo: Photo, client: Client):
    paths = [reverse("photo_file", args=[photo.key, 64]), reverse("artwork_file", args=[photo.artworks.get().key, 64])]

    assert statuses(client, paths) == [404, 404]


def nameless(response, share: Share) -> str:
    """Return a page without its tokens, and without the address that was asked for."""
    shown = re.sub(r'(csrfmiddlewaretoken" value=)"\w+"', "", text(response))
    return shown.replace(share.key, "").replace("0" * 22, "")


ENDINGS = {
    "revoked": lambda share: shares.revoke(share, now=NOON),
    "expired": lambda share: Share.objects.update(expires_at=NOON),
    "account closed": lambda share: accounts.close_account(share.owner),
    "account barred": lambda share: User.objects.update(is_active=False),
}


@pytest.mark.parametrize("ending", ENDINGS)
def test_everything_of_an_ended_share_looks_like_one_that_never_was(
    share: Share, photo: Photo, client: Client, ending: str
):
    paths = addresses(share, photo)
    before = statuses(client, paths)

    ENDINGS[ending](share)

    ended = [client.get(path) for path in paths]
    never = [client.get(path.replace(share.key, "0" * 22)) for path in paths]
    assert before == [200] * 4
    assert [each.status_code for each in ended] == [404] * 4
    assert [nameless(each, share) for each in ended] == [nameless(each, share) for each in never]
    assert [each.headers.keys() for each in ended] == [each.headers.keys() for each in never]


def test_revoking_ends_it_for_those_who_know_the_password(as_alice: Client, locked: Share, photo: Photo):
    visitor = Client()
    visitor.post(page(locked), {"password": SAID})
    inside = statuses(visitor, addresses(locked, photo))

    as_alice.post(reverse("revoke_share", args=[locked.key]))

    assert inside == [200] * 4
    assert statuses(visitor, addresses(locked, photo)) == [404] * 4


@pytest.mark.parametrize(
    ("change", "got"),
    [
        (lambda photo: Photo.objects.update(removed_at=NOON), [200, 404, 404, 404]),
        (lambda photo: Artwork.objects.update(cancelled_at=NOON), [200, 200, 200, 404]),
        (lambda photo: Rendition.objects.update(state=State.EVICTED), [200, 200, 200, 404]),
    ],
    ids=["binned", "cancelled", "put away"],
)
def test_what_the_owner_takes_back_is_gone_at_once(share: Share, photo: Photo, client: Client, change, got: list[int]):
    paths = addresses(share, photo)

    change(photo)

    assert statuses(client, paths) == got


# The password


def test_password_stands_before_everything(locked: Share, photo: Photo, client: Client):
    front, inner, *files = (client.get(path) for path in addresses(locked, photo))

    assert (front.status_code, inner.status_code) == (200, 302)
    assert [each.status_code for each in files] == [404, 404]
    assert [word for word in ("Grandma", photo.key, "og:image", "alice") if word in text(front)] == []
    assert front.headers["Referrer-Policy"] == "same-origin"


def test_photo_behind_a_password_cannot_be_told_from_one_that_is_not_there(locked: Share, photo: Photo, client: Client):
    there, nowhere = (client.get(addresses_of_photo(locked, each)) for each in (photo, Photo(key="0" * 22)))

    assert (there.status_code, there.headers["Location"]) == (nowhere.status_code, nowhere.headers["Location"])


def test_password_opens_the_share_and_no_other(locked: Share, photo: Photo, client: Client):
    other = given(photo, password=SAID)

    response = client.post(page(locked), {"password": SAID})

    assert response.headers["Location"] == page(locked)
    assert statuses(client, addresses(locked, photo)) == [200] * 4
    assert "og:image" not in text(client.get(page(locked)))
    assert statuses(client, addresses(other, photo)) == [200, 302, 404, 404]


def test_wrong_password_shows_the_same_page(locked: Share, photo: Photo, client: Client):
    response = client.post(page(locked), {"password": "open barley"})

    assert (response.status_code, "This is not the password." in text(response)) == (200, True)
    assert statuses(client, addresses(locked, photo)) == [200, 302, 404, 404]


def test_another_password_closes_the_door_again(locked: Share, photo: Photo, client: Client):
    client.post(page(locked), {"password": SAID})

    shares.change(locked, photos=[photo], terms=Terms(password="another"))

    assert statuses(client, addresses(locked, photo)) == [200, 302, 404, 404]


def test_cookie_that_nobody_signed_opens_nothing(locked: Share, photo: Photo, client: Client):
    client.cookies["share_door"] = shares.lock_of(locked)

    assert statuses(client, addresses(locked, photo)) == [200, 302, 404, 404]


def test_guessing_is_slowed_even_with_the_right_password(locked: Share, client: Client):
    got = [client.post(page(locked), {"password": f"guess {number}"}).status_code for number in range(10)]

    response = client.post(page(locked), {"password": SAID})

    assert got == [200] * 10
    assert (response.status_code, response.headers["Retry-After"]) == (429, "900")
    assert "too many tries" in text(response)


def test_door_is_shut_while_nobody_counts_tries(locked: Share, client: Client, settings: Settings, valkey: Valkey):
    settings.REDIS_URL = "unix:///nowhere/valkey.sock"

    assert client.post(page(locked), {"password": SAID}).status_code == 429


def test_door_accepts_its_form_with_the_token_alone(locked: Share):
    careful = Client(enforce_csrf_checks=True)
    token = re.search(r'csrfmiddlewaretoken" value="(\w+)"', text(careful.get(page(locked))))
    assert token

    forged = careful.post(page(locked), {"password": SAID})
    sent = careful.post(page(locked), {"password": SAID, "csrfmiddlewaretoken": token[1]})

    assert (forged.status_code, sent.status_code) == (403, 302)


def test_cookies_are_for_the_share_alone_and_for_a_day(locked: Share, client: Client):
    client.post(page(locked), {"password": SAID})
    client.get(page(locked))

    for name in ("share_door", "share_seen"):
        cookie = client.cookies[name]
        assert (cookie["path"], cookie["max-age"], cookie["httponly"], cookie["samesite"]) == (
            page(locked),
            86400,
            True,
            "Lax",
        )


# Cards and views


def test_card_shows_a_painting_of_modest_size(large: Photo, client: Client):
    made = given(large, title="Birds & bees", full_size=True)

    shown = text(client.get(page(made)))

    image = re.search(r'property="og:image" content="([^"]+)"', shown)
    path = reverse("shared_painting_file", args=[made.key, large.artworks.get().key, 800])
    assert image
    assert image[1] == f"http://testserver{path}"
    assert 'property="og:title" content="Birds &amp; bees"' in shown
    assert 'property="og:image:width" content="800"' in shown
    assert Client().get(path).status_code == 200


def test_view_is_counted_once_for_each_browser(share: Share, photo: Photo):
    first, second = Client(), Client()

    for path in addresses(share, photo) * 2:
        first.get(path)
    second.get(page(share))
    second.head(page(share))

    share.refresh_from_db()
    assert share.views == 2


def test_own_looks_and_closed_doors_are_not_counted(as_alice: Client, client: Client, share: Share, locked: Share):
    as_alice.get(page(share))
    client.get(page(locked))
    client.head(page(share))

    assert list(Share.objects.values_list("views", flat=True)) == [0, 0]


def test_nothing_is_stored_of_a_visitor(locked: Share, client: Client, django_assert_num_queries):
    client.post(page(locked), {"password": SAID})
    client.get(page(locked))

    assert set(client.cookies) <= {"share_door", "share_seen", "csrftoken"}
