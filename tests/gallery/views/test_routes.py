"""Every address, for everybody, with every method: who gets what."""

import re
from collections.abc import Iterator

import pytest
from django.test import Client
from django.urls import URLPattern, URLResolver, get_resolver, reverse

from gallery import accounts, shares
from gallery.models import Artwork, User
from gallery.urls import urlpatterns
from rendering import store
from rendering.models import Rendition, State
from tests import makers

PEOPLE = ("anonymous", "owner", "other", "staff", "admin")
METHODS = ("GET", "POST", "DELETE")
DOOR = 302
THINGS = {
    # Somebody else's photo or artwork does not exist, whatever is asked of it.
    "photo": {"GET": (DOOR, 200, 404, 404, 404), "POST": (DOOR, 405, 404, 404, 404)},
    "rename_photo": {"GET": (DOOR, 405, 404, 404, 404), "POST": (DOOR, 302, 404, 404, 404)},
    "paint_again": {"GET": (DOOR, 405, 404, 404, 404), "POST": (DOOR, 200, 404, 404, 404)},
    "remove_photo": {"GET": (DOOR, 200, 404, 404, 404), "POST": (DOOR, 302, 404, 404, 404)},
    "favorite": {"GET": (DOOR, 405, 404, 404, 404), "POST": (DOOR, 302, 404, 404, 404)},
    "use_twin": {"GET": (DOOR, 405, 404, 404, 404), "POST": (DOOR, 302, 404, 404, 404)},
    "paint_itself": {"GET": (DOOR, 405, 404, 404, 404), "POST": (DOOR, 302, 404, 404, 404)},
    "cancel_photo": {"GET": (DOOR, 405, 404, 404, 404), "POST": (DOOR, 302, 404, 404, 404)},
    "retry_photo": {"GET": (DOOR, 405, 404, 404, 404), "POST": (DOOR, 302, 404, 404, 404)},
    "cancel_artwork": {"GET": (DOOR, 405, 404, 404, 404), "POST": (DOOR, 302, 404, 404, 404)},
    "retry_artwork": {"GET": (DOOR, 405, 404, 404, 404), "POST": (DOOR, 302, 404, 404, 404)},
    "repeat_artwork": {"GET": (DOOR, 405, 404, 404, 404), "POST": (DOOR, 302, 404, 404, 404)},
    "remove_artwork": {"GET": (DOOR, 405, 404, 404, 404), "POST": (DOOR, 302, 404, 404, 404)},
    "download": {"GET": (DOOR, 200, 404, 404, 404), "POST": (DOOR, 200, 404, 404, 404)},
    "own_values": {"GET": (DOOR, 200, 404, 404, 404), "POST": (DOOR, 200, 404, 404, 404)},
    "sketch": {"GET": (DOOR, 400, 404, 404, 404), "POST": (DOOR, 405, 404, 404, 404)},
}
FILES = ("photo_original", "photo_file", "artwork_file")
SHARES = {
    # The link is its owner's alone, and what it shows is for everybody who has it.
    "edit_share": {"GET": (DOOR, 200, 404, 404, 404), "POST": (DOOR, 200, 404, 404, 404)},
    "revoke_share": {"GET": (DOOR, 200, 404, 404, 404), "POST": (DOOR, 302, 404, 404, 404)},
    "shared": {"GET": (200, 200, 200, 200, 200), "POST": (200, 200, 200, 200, 200)},
    "shared_photo": {"GET": (200, 200, 200, 200, 200), "POST": (405, 405, 405, 405, 405)},
    "shared_photo_file": {"GET": (200, 200, 200, 200, 200), "POST": (405, 405, 405, 405, 405)},
    "shared_painting_file": {"GET": (200, 200, 200, 200, 200), "POST": (405, 405, 405, 405, 405)},
}
PAGES = {
    "album": {"GET": (200, 200, 200, 200, 200), "POST": (405, 405, 405, 405, 405)},
    "upload": {"GET": (DOOR, 405, 405, 405, 405), "POST": (DOOR, 302, 302, 302, 302)},
    "cancel_all": {"GET": (DOOR, 405, 405, 405, 405), "POST": (DOOR, 302, 302, 302, 302)},
    "retry_all": {"GET": (DOOR, 405, 405, 405, 405), "POST": (DOOR, 302, 302, 302, 302)},
    "history": {"GET": (DOOR, 200, 200, 200, 200), "POST": (DOOR, 405, 405, 405, 405)},
    "shares": {"GET": (DOOR, 200, 200, 200, 200), "POST": (DOOR, 405, 405, 405, 405)},
    "new_share": {"GET": (DOOR, 302, 302, 302, 302), "POST": (DOOR, 200, 200, 200, 200)},
    "chosen": {"GET": (DOOR, 405, 405, 405, 405), "POST": (DOOR, 404, 404, 404, 404)},
    "bin": {"GET": (DOOR, 200, 200, 200, 200), "POST": (DOOR, 405, 405, 405, 405)},
    "bring_back": {"GET": (DOOR, 405, 405, 405, 405), "POST": (DOOR, 302, 302, 302, 302)},
    "undo": {"GET": (DOOR, 405, 405, 405, 405), "POST": (DOOR, 302, 302, 302, 302)},
    "erase": {"GET": (DOOR, 405, 405, 405, 405), "POST": (DOOR, 302, 302, 302, 302)},
    "empty_bin": {"GET": (DOOR, 405, 405, 405, 405), "POST": (DOOR, 302, 302, 302, 302)},
    "duplicates": {"GET": (DOOR, 200, 200, 200, 200), "POST": (DOOR, 405, 405, 405, 405)},
    "merge_photos": {"GET": (DOOR, 302, 302, 302, 302), "POST": (DOOR, 302, 302, 302, 302)},
    "known": {"GET": (DOOR, 405, 405, 405, 405), "POST": (DOOR, 400, 400, 400, 400)},
    "status": {"GET": (DOOR, 200, 200, 200, 200), "POST": (DOOR, 405, 405, 405, 405)},
    "preferences": {"GET": (DOOR, 200, 200, 200, 200), "POST": (DOOR, 200, 200, 200, 200)},
    "history_table": {"GET": (DOOR, 200, 200, 200, 200), "POST": (DOOR, 405, 405, 405, 405)},
    "download_photos": {"GET": (DOOR, 405, 405, 405, 405), "POST": (DOOR, 302, 302, 302, 302)},
    "download_everything": {"GET": (DOOR, 405, 405, 405, 405), "POST": (DOOR, 200, 200, 200, 200)},
    "browsers": {"GET": (DOOR, 200, 200, 200, 200), "POST": (DOOR, 302, 302, 302, 302)},
    "close_account": {"GET": (DOOR, 200, 200, 200, 200), "POST": (DOOR, 200, 200, 200, 200)},
    "language": {"GET": (405, 405, 405, 405, 405), "POST": (302, 302, 302, 302, 302)},
    "theme": {"GET": (405, 405, 405, 405, 405), "POST": (302, 302, 302, 302, 302)},
    "invitation": {"GET": (302, 302, 302, 302, 302), "POST": (405, 405, 405, 405, 405)},
    "setup": {"GET": (404, 404, 404, 404, 404), "POST": (404, 404, 404, 404, 404)},
    "hang_sample": {"GET": (DOOR, 405, 405, 405, 405), "POST": (DOOR, 302, 302, 302, 302)},
    "manifest": {"GET": (200, 200, 200, 200, 200), "POST": (405, 405, 405, 405, 405)},
    "service_worker": {"GET": (200, 200, 200, 200, 200), "POST": (405, 405, 405, 405, 405)},
    "offline": {"GET": (200, 200, 200, 200, 200), "POST": (405, 405, 405, 405, 405)},
    "incoming": {"GET": (405, 405, 405, 405, 405), "POST": (302, 302, 302, 302, 302)},
    "dashboard": {"GET": (404, 404, 404, 404, 200), "POST": (404, 404, 404, 404, 405)},
    "desk_figures": {"GET": (404, 404, 404, 404, 200), "POST": (404, 404, 404, 404, 405)},
    "savings": {"GET": (404, 404, 404, 404, 200), "POST": (404, 404, 404, 404, 405)},
    "jobs": {"GET": (404, 404, 404, 404, 200), "POST": (404, 404, 404, 404, 405)},
    "jobs_file": {"GET": (404, 404, 404, 404, 200), "POST": (404, 404, 404, 404, 405)},
    "job": {"GET": (404, 404, 404, 404, 404), "POST": (404, 404, 404, 404, 405)},
    "work": {"GET": (404, 404, 404, 404, 404), "POST": (404, 404, 404, 404, 405)},
    "act_on_jobs": {"GET": (404, 404, 404, 404, 404), "POST": (404, 404, 404, 404, 404)},
    "painting": {"GET": (404, 404, 404, 404, 405), "POST": (404, 404, 404, 404, 302)},
    "audit": {"GET": (404, 404, 404, 404, 200), "POST": (404, 404, 404, 404, 405)},
    "audit_file": {"GET": (404, 404, 404, 404, 200), "POST": (404, 404, 404, 404, 405)},
    "invitations": {"GET": (404, 404, 404, 404, 200), "POST": (404, 404, 404, 404, 302)},
    "waiting": {"GET": (200, 200, 200, 200, 200), "POST": (405, 405, 405, 405, 405)},
    "people": {"GET": (404, 404, 404, 404, 200), "POST": (404, 404, 404, 404, 405)},
    "people_file": {"GET": (404, 404, 404, 404, 200), "POST": (404, 404, 404, 404, 405)},
    "person": {"GET": (404, 404, 404, 404, 200), "POST": (404, 404, 404, 404, 405)},
    "person_standing": {"GET": (404, 404, 404, 404, 405), "POST": (404, 404, 404, 404, 302)},
    "person_limits": {"GET": (404, 404, 404, 404, 405), "POST": (404, 404, 404, 404, 302)},
    "person_role": {"GET": (404, 404, 404, 404, 405), "POST": (404, 404, 404, 404, 302)},
    "notices": {"GET": (404, 404, 404, 404, 200), "POST": (404, 404, 404, 404, 200)},
    "end_notice": {"GET": (404, 404, 404, 404, 405), "POST": (404, 404, 404, 404, 404)},
}


@pytest.fixture
def browsers(alice: User, bob: User, staff: User, admin: User) -> dict[str, Client]:
    signed_in = [makers.browser(person) for person in (alice, bob, staff, admin)]
    return dict(zip(PEOPLE, [Client(), *signed_in], strict=True))


@pytest.fixture
def artwork(alice: User) -> Artwork:
    return makers.artwork(makers.photo(alice))


def address(name: str, artwork: Artwork) -> str:
    arguments: dict[str, list[object]] = {
        "photo_file": [artwork.photo.key, 64],
        "artwork_file": [artwork.key, 64],
        "setup": ["0" * 64],
        "invitation": ["0" * 22],
        "job": [999_999],
        "work": ["reading", 999_999],
        "end_notice": [0],
        **{key: [artwork.photo.owner.pk] for key in ("person", "person_standing", "person_limits", "person_role")},
    }
    key = artwork.key if "artworks/" in reverse_pattern(name) else artwork.photo.key
    return reverse(name, args=arguments.get(name, [key] if name in THINGS or name in FILES else []))


def reverse_pattern(name: str) -> str:
    return next(str(route.pattern) for route in urlpatterns if route.name == name)


def statuses(browsers: dict[str, Client], method: str, path: str) -> tuple[int, ...]:
    return tuple(browsers[person].generic(method, path).status_code for person in PEOPLE)


def test_every_address_is_in_the_tables():
    elsewhere = {"preview_file", "strip_file", "shared_strip_file"}
    assert {route.name for route in urlpatterns} == {*THINGS, *FILES, *SHARES, *PAGES, *elsewhere}


@pytest.mark.parametrize(("name", "method"), [(name, method) for name in THINGS for method in ("GET", "POST")])
def test_things_are_their_owners_alone(browsers: dict[str, Client], artwork: Artwork, name: str, method: str):
    got = statuses(browsers, method, address(name, artwork))

    assert got == THINGS[name][method]


@pytest.mark.parametrize("name", THINGS)
@pytest.mark.parametrize("method", ["DELETE", "PUT", "PATCH"])
def test_things_of_others_do_not_exist_for_any_method(
    browsers: dict[str, Client], artwork: Artwork, name: str, method: str
):
    got = statuses(browsers, method, address(name, artwork))

    assert got == (DOOR, 405, 404, 404, 404)


@pytest.mark.parametrize("name", THINGS)
@pytest.mark.parametrize("method", METHODS)
def test_things_of_others_look_like_things_that_never_were(
    browsers: dict[str, Client], artwork: Artwork, name: str, method: str
):
    path = address(name, artwork)
    nowhere = path.replace(artwork.key, "0" * 22).replace(artwork.photo.key, "0" * 22)

    forbidden, missing = browsers["other"].generic(method, path), browsers["other"].generic(method, nowhere)

    assert without_tokens(forbidden).replace(path, "") == without_tokens(missing).replace(nowhere, "")
    assert (forbidden.status_code, forbidden.headers.keys()) == (missing.status_code, missing.headers.keys())


@pytest.mark.parametrize(("name", "method"), [(name, method) for name in SHARES for method in ("GET", "POST")])
def test_shares_are_changed_by_their_owner_and_seen_by_whoever_has_the_link(
    browsers: dict[str, Client], artwork: Artwork, name: str, method: str
):
    terms = shares.Terms(title="Birds")
    share = shares.create(owner=artwork.photo.owner, photos=[artwork.photo], terms=terms, now=makers.NOON)
    shown = {"shared_photo": artwork.photo.key, "shared_photo_file": artwork.photo.key}
    file = [shown.get(name, artwork.key), 64] if name.endswith("_file") else [artwork.photo.key]
    path = reverse(name, args=[share.key, *(file if name.startswith("shared_") else [])])

    assert statuses(browsers, method, path) == SHARES[name][method]


@pytest.mark.parametrize("name", FILES)
def test_files_are_their_owners_alone(browsers: dict[str, Client], artwork: Artwork, name: str):
    path = address(name, artwork)

    assert statuses(browsers, "GET", path) == (404, 200, 404, 404, 404)
    assert statuses(browsers, "POST", path) == (405, 405, 405, 405, 405)


def test_previews_are_their_owners_alone(browsers: dict[str, Client], alice: User):
    waiting = makers.artwork(makers.photo(alice), state=State.WAITING)
    pages = store.put_pages("previews", {480: makers.jpeg(480, 360)})
    Rendition.objects.update(preview=pages.folder)
    path = reverse("preview_file", args=[waiting.key])

    assert statuses(browsers, "GET", path) == (404, 200, 404, 404, 404)
    assert statuses(browsers, "POST", path) == (405, 405, 405, 405, 405)


@pytest.mark.parametrize(("name", "method"), [(name, method) for name in PAGES for method in ("GET", "POST")])
def test_pages_answer_each_as_they_should(browsers: dict[str, Client], artwork: Artwork, name: str, method: str):
    got = statuses(browsers, method, address(name, artwork))

    assert got == PAGES[name][method]


@pytest.mark.parametrize("name", ["photo", "history", "preferences", "close_account", "upload", "download"])
def test_visitors_are_sent_to_the_door_and_back(artwork: Artwork, name: str):
    path = address(name, artwork)

    response = Client().get(path)

    assert response.headers["Location"] == f"{reverse('account_login')}?next={path}"


def without_tokens(response) -> str:
    return re.sub(r'(csrfmiddlewaretoken" value=)"\w+"', "", response.content.decode())


def queue_pages() -> Iterator[str]:
    resolver = next(each for each in get_resolver().url_patterns if str(each.pattern) == "admin/queues/")
    assert isinstance(resolver, URLResolver)
    for page in resolver.url_patterns:
        assert isinstance(page, URLPattern)
        yield "/admin/queues/" + str(page.pattern).replace("<int:queue_index>", "0").replace("<str:job_id>", "x")


@pytest.mark.parametrize("person", ["anonymous", "owner", "other", "staff"])
def test_queue_pages_are_for_superusers_alone(browsers: dict[str, Client], person: str):
    pages = [page for page in queue_pages() if "<" not in page]

    got = {page: browsers[person].post(page).status_code for page in pages}

    assert len(pages) > 20
    assert got == dict.fromkeys(pages, 404)


def test_queue_page_is_shown_to_superusers(browsers: dict[str, Client]):
    assert statuses(browsers, "GET", "/admin/queues/") == (404, 404, 404, 404, 200)


@pytest.mark.parametrize(
    "path", ["django_rq/dashboard/", "django_rq/dashboard/stats.json", "django_rq/dashboard/metrics"]
)
def test_queue_has_no_other_entry(browsers: dict[str, Client], path: str):
    assert browsers["admin"].get(f"/admin/{path}").status_code == 404


def test_admin_has_the_one_door(browsers: dict[str, Client]):
    assert statuses(browsers, "GET", "/admin/") == (302, 302, 302, 200, 200)
    assert statuses(browsers, "GET", "/admin/login/?next=/admin/") == (302, 404, 404, 404, 404)
    assert Client().get("/admin/login/?next=/admin/").headers["Location"] == "/accounts/login/?next=/admin/"


def test_setup_exists_until_there_is_an_admin(db: None):
    token = accounts.setup_token()

    found = Client().get(reverse("setup", args=[token]))
    guessed = Client().get(reverse("setup", args=["0" * 64]))

    assert (found.status_code, guessed.status_code) == (200, 404)


def test_site_is_alive_without_the_database():
    response = Client().get("/livez")

    assert (response.status_code, response.content) == (200, b"alive\n")
