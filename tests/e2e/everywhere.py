"""Every page of the product, and a product in which each has something to show: real photos in all their states."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import NamedTuple

import cv2

from tests.e2e import pseudo
from tests.e2e.product import PASSWORD, PHOTOS
from tests.load import pictures, site
from tests.load.site import Site
from tests.load.visitor import Answer, Visitor

ALBUM = ("japanese-shop.jpg", "prairie_falcon.jpg", "portrait.jpg", "denali.webp", "silver_fir.jpg")


class Page(NamedTuple):
    """A page: which route it is of, its address, who sees it, and what the server answers."""

    route: str
    address: str
    who: str = "ada"
    status: int = 200


def _stranger(route: str, address: str, status: int = 200) -> Page:
    return Page(route, address, "stranger", status)


PAGES: dict[str, Page] = {
    "landing": _stranger("album", "/"),
    "sign-in": _stranger("account_login", "/accounts/login/"),
    "sign-up": _stranger("account_signup", "/accounts/signup/"),
    "password-reset": _stranger("account_reset_password", "/accounts/password/reset/"),
    "password-reset-sent": _stranger("account_reset_password_done", "/accounts/password/reset/done/"),
    "password-reset-key": _stranger("account_reset_password_from_key", "/accounts/password/reset/key/0-no-such-key/"),
    "password-reset-done": _stranger("account_reset_password_from_key_done", "/accounts/password/reset/key/done/"),
    "mail-sent": _stranger("account_email_verification_sent", "/accounts/confirm-email/"),
    "mail-confirm": _stranger("account_confirm_email", "/accounts/confirm-email/{mail}/"),
    "mail-confirm-wrong": _stranger("account_confirm_email", "/accounts/confirm-email/no-such-key/"),
    "inactive": _stranger("account_inactive", "/accounts/inactive/"),
    "waiting": _stranger("waiting", "/waiting/"),
    "offline": _stranger("offline", "/offline/"),
    "shared": _stranger("shared", "/s/{share}/"),
    "shared-door": _stranger("shared", "/s/{locked}/"),
    "shared-photo": _stranger("shared_photo", "/s/{share}/photos/{photo}/"),
    "not-found": _stranger("", "/nothing/", 404),
    "closed": _stranger("", "/seldom/closed/"),
    "set-up": _stranger("setup", "/seldom/set-up/"),
    "error-400": _stranger("", "/seldom/400/", 400),
    "error-403": Page("", "/seldom/403/", status=403),
    "error-403-form": Page("", "/seldom/403_csrf/", status=403),
    "error-413": Page("", "/seldom/413/", status=413),
    "error-429": _stranger("", "/seldom/429/", 429),
    "error-500": _stranger("", "/seldom/500/", 500),
    "error-503": Page("", "/seldom/503/", status=503),
    "not-found-here": Page("photo", "/photos/no-such-photo/", status=404),
    "album-empty": Page("album", "/", "newcomer"),
    "history-empty": Page("history", "/history/", "newcomer"),
    "shares-empty": Page("shares", "/shares/", "newcomer"),
    "album": Page("album", "/"),
    "album-none-found": Page("album", "/?words=nothing"),
    "photo": Page("photo", "/photos/{photo}/"),
    "photo-in-work": Page("photo", "/photos/{waiting}/"),
    "photo-failed": Page("photo", "/photos/{broken}/"),
    "photo-twin": Page("photo", "/photos/{twin}/"),
    "photo-remove": Page("remove_photo", "/photos/{photo}/remove/"),
    "own-values": Page("own_values", "/artworks/{artwork}/values/"),
    "download-wait": Page("download", "/artworks/{artwork}/download/?format=png&size=a3", status=202),
    "download-failed": Page("download", "/artworks/{artwork}/download/?format=none", status=400),
    "history": Page("history", "/history/"),
    "duplicates": Page("duplicates", "/duplicates/"),
    "merge": Page("merge_photos", "/duplicates/merge/?keep={photo}&photo={twin}"),
    "bin": Page("bin", "/bin/"),
    "shares": Page("shares", "/shares/"),
    "share-new": Page("new_share", "/shares/new/?photos={photo}"),
    "share-edit": Page("edit_share", "/shares/{locked}/edit/"),
    "share-revoke": Page("revoke_share", "/shares/{locked}/revoke/"),
    "settings": Page("preferences", "/settings/"),
    "browsers": Page("browsers", "/settings/browsers/"),
    "close-account": Page("close_account", "/settings/close/"),
    "password-change": Page("account_change_password", "/accounts/password/change/"),
    "password-first": Page("account_set_password", "/seldom/first-password/"),
    "mail": Page("account_email", "/accounts/email/"),
    "reauthenticate": Page("account_reauthenticate", "/accounts/reauthenticate/"),
    "sign-out": Page("account_logout", "/accounts/logout/"),
    "desk": Page("dashboard", "/staff/"),
    "savings": Page("savings", "/staff/savings/"),
    "jobs": Page("jobs", "/staff/jobs/"),
    "readings": Page("jobs", "/staff/jobs/?kind=reading"),
    "job": Page("job", "/staff/jobs/{job}/"),
    "reading": Page("work", "/staff/jobs/reading/{reading}/"),
    "jobs-act": Page("act_on_jobs", "/staff/jobs/act/?action=delete"),
    "jobs-act-none": Page("act_on_jobs", "/staff/jobs/act/?action=retry&title=nothing"),
    "audit": Page("audit", "/staff/audit/"),
    "doctor": Page("doctor", "/staff/doctor/"),
    "invitations": Page("invitations", "/staff/invitations/"),
    "people": Page("people", "/staff/people/"),
    "person": Page("person", "/staff/people/{person}/"),
    "notices": Page("notices", "/staff/notices/"),
}

MORE: dict[str, Page] = {
    "desk-7d": Page("dashboard", "/staff/?span=7d"),
    "desk-30d": Page("dashboard", "/staff/?span=30d"),
    "desk-180d": Page("dashboard", "/staff/?span=180d"),
    "jobs-failed": Page("jobs", "/staff/jobs/?state=failed&style=oil"),
    "people-more": Page("people", "/staff/people/?page=2"),
    "admin": Page("", "/admin/"),
    "admin-people": Page("", "/admin/gallery/user/"),
    "admin-person": Page("", "/admin/gallery/user/{person}/change/"),
    "admin-photos": Page("", "/admin/gallery/photo/"),
    "admin-photo": Page("", "/admin/gallery/photo/{first}/change/"),
    "admin-artworks": Page("", "/admin/gallery/artwork/"),
    "admin-sources": Page("", "/admin/rendering/source/"),
    "admin-renditions": Page("", "/admin/rendering/rendition/"),
    "admin-audit": Page("", "/admin/gallery/auditentry/"),
    "queues": Page("", "/admin/queues/"),
}
"""Pages for staff that are looked at, but not measured: further periods, and Django's own."""

NO_PAGES: dict[str, str] = {
    "history_table": "a CSV file",
    "desk_figures": "a CSV file",
    "jobs_file": "a CSV file",
    "audit_file": "a CSV file",
    "people_file": "a CSV file",
    "photo_original": "a picture",
    "photo_file": "a picture",
    "strip_file": "a picture",
    "artwork_file": "a picture",
    "preview_file": "a picture",
    "sketch": "a picture",
    "shared_photo_file": "a picture",
    "shared_painting_file": "a picture",
    "shared_strip_file": "a picture",
    "status": "JSON for scripts",
    "manifest": "JSON for the browser",
    "service_worker": "a script",
    "invitation": "leads on to the sign-up",
    "account_confirm_login_code": "leads away: nobody is mailed codes to sign in with",
}
"""Routes that answer a GET, and why they are no pages."""

FACTS = """
import json
from datetime import timedelta
from allauth.account.models import EmailAddress, EmailConfirmationHMAC
from django.utils import timezone
from django.db.models import F
from gallery import notices, people, shares
from gallery.models import Artwork, Photo, User
from rendering.models import Rendition, State
from tests.load import desk as busy
now, ada = timezone.now(), User.objects.get(username="ada")
bob = User.objects.create_user("bob", "bob@example.org", is_active=False, awaits_approval=True)
mail, _ = EmailAddress.objects.get_or_create(user=ada, email="ada@example.org", defaults={"primary": True})
people.invite(by=ada, note="Grandmother", now=now)
notice = notices.put_up(text="On Sunday from 8 to 9 the workshop is closed.", starts_at=now, ends_at=None,
               closes_uploads=False, by=ada, now=now)
hung = Photo.objects.filter(owner=ada, removed_at=None).order_by("pk")
painted = [photo for photo in hung if photo.source.folder]
share = shares.create(owner=ada, photos=painted, terms=shares.Terms(title="A walk in the hills"), now=now)
terms = shares.Terms(title="For the family", password="open-sesame", expires_at=now + timedelta(days=7))
locked = shares.create(owner=ada, photos=painted[:1], terms=terms, now=now)
family = ("Grandmother", "Lucía", "Uncle Bertram", "李明", "Noor", "a-person-with-a-rather-long-name@example.org")
busy.fill(1200, people=[User.objects.create_user(name) for name in family], when=busy.lately(now))
# What waits for longer than a morning would be no usual day.
old = Rendition.objects.filter(state=State.WAITING, holder="", waiting_since__lt=now - timedelta(hours=4))
old.update(state=State.CANCELLED, finished_at=F("waiting_since"))
busy.tend()
print("FACTS", json.dumps({
    "share": share.key, "locked": locked.key, "mail": EmailConfirmationHMAC(mail).key, "person": bob.pk,
    "notice": notice.pk,
    "artwork": Artwork.objects.filter(photo=painted[0]).order_by("pk").first().key,
    "job": Rendition.objects.order_by("pk").first().pk,
    "reading": painted[0].source_id,
    "first": painted[0].pk,
}))
"""


@dataclass(frozen=True)
class Everything:
    """The product with everything in it; ada, who may do all, a newcomer and a stranger; what addresses are made of."""

    site: Site
    people: dict[str, Visitor]
    facts: dict[str, str]

    def address(self, name: str) -> str:
        """Return where a page of PAGES is."""
        return self.site.address + (PAGES | MORE)[name].address.format(**self.facts)

    def get(self, name: str, *, language: str) -> Answer:
        """Return a page of PAGES as the server sends it."""
        place = PAGES[name].address.format(**self.facts)
        return self.people[PAGES[name].who].request("GET", place, headers={"Accept-Language": language})


@contextmanager
def everything() -> Iterator[Everything]:
    """Run the product until it is left, with photos that are painted, fail, wait, are binned, are double and shared."""
    with TemporaryDirectory(prefix="pseudo-") as name:
        environment = {
            "PSEUDO_LOCALES": str(pseudo.write(Path(name))),
            "DJANGO_SETTINGS_MODULE": "tests.e2e.every_settings",
        }
        with site.running(workers=2, environment=environment) as started:
            ada, newcomer = first_admin(started), started.visitor("newcomer")
            photos = _hang(ada)
            said = started.command("shell", "-c", FACTS)
            facts = json.loads(said.partition("FACTS ")[2].splitlines()[0])
            people = {"ada": ada, "newcomer": newcomer, "stranger": Visitor(started.address, "stranger")}
            yield Everything(started, people, {name: str(value) for name, value in (photos | facts).items()})
            for person in people.values():
                person.close()


def first_admin(started: Site) -> Visitor:
    """Return the first admin, who has just opened the workshop by the link that the product printed."""
    ada = Visitor(started.address, "ada")
    place = started.product.setup.removeprefix(started.address)
    ada.request("GET", place)
    ada.post(place, {"username": "ada", "email": "ada@example.org", "password": PASSWORD})
    return ada


def _hang(ada: Visitor) -> dict[str, str]:
    """Upload photos, and bring some of them into each state; return the keys by what became of them."""
    photos = {name.partition(".")[0]: ada.upload((PHOTOS / name).read_bytes(), name=name).photo for name in ALBUM}
    shop = pictures.opened(ALBUM[0])
    smaller = pictures.jpeg(cv2.resize(shop, None, fx=0.7, fy=0.7, interpolation=cv2.INTER_AREA))
    headless = cv2.imencode(".png", shop)[1].tobytes()[:60] + bytes(500)
    photos["broken"] = ada.upload(headless, name="broken.png").photo
    ada.wait_for(photos.values(), seconds=120)
    photos["twin"] = ada.upload(smaller, name="The same shop.jpg").photo
    binned = ada.upload((PHOTOS / "tanners_ridge.jpg").read_bytes(), name="tanners_ridge.jpg").photo
    ada.wait_for([photos["twin"], binned], seconds=60)
    ada.remove(binned)
    ada.post("/staff/painting/", {"rest": "1"})
    photos["waiting"] = ada.upload((PHOTOS / "wood_anemones.jpg").read_bytes(), name="wood_anemones.jpg").photo
    return photos | {"photo": photos["japanese-shop"]}
