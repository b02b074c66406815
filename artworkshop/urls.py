"""All addresses of the site."""

from django.conf import settings
from django.contrib import admin
from django.contrib.auth.views import redirect_to_login
from django.http import Http404, HttpRequest, HttpResponse
from django.urls import URLPattern, URLResolver, include, path
from django.utils.translation import gettext_lazy as _

from artworkshop import desk, queues

admin.site.site_title = admin.site.site_header = _("Art Workshop: all records")
admin.site.index_title = _("All records")


def staff_entrance(request: HttpRequest) -> HttpResponse:
    """Send people to the one door, which is slowed against guessing; for those inside the admin does not exist."""
    if request.user.is_authenticated:
        raise Http404
    return redirect_to_login(request.GET.get("next", ""))


urlpatterns: list[URLPattern | URLResolver] = [
    path("staff/doctor/", desk.doctor, name="doctor"),
    path("staff/doctor/mend/", desk.mend, name="mend"),
    path("", include("gallery.urls")),
    path("accounts/", include("allauth.account.urls")),
    path("admin/login/", staff_entrance),
    path("admin/queues/", include((queues.pages, "django_rq"))),
    path("admin/", admin.site.urls),
]

if settings.OIDC_NAME:
    urlpatterns += [
        path("accounts/3rdparty/", include("allauth.socialaccount.urls")),
        path("accounts/", include("allauth.socialaccount.providers.openid_connect.urls")),
    ]

handler400 = "gallery.views.photos.bad_request"
