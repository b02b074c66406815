"""All addresses of the site."""

from django.conf import settings
from django.contrib import admin
from django.contrib.auth.views import redirect_to_login
from django.http import Http404, HttpRequest, HttpResponse
from django.urls import URLPattern, URLResolver, include, path
from django_rq.models import Dashboard
from django_rq.stats_views import prometheus_metrics, stats_json
from django_rq.urls import get_admin_urlpatterns

from artworkshop import desk
from gallery.http import for_superusers

# django-rq's own entry lets any staff member empty the queue, and has pages for tokens: ours is below.
admin.site.unregister(Dashboard)


def staff_entrance(request: HttpRequest) -> HttpResponse:
    """Send people to the one door, which is slowed against guessing; for those inside the admin does not exist."""
    if request.user.is_authenticated:
        raise Http404
    return redirect_to_login(request.GET.get("next", ""))


queue_pages = [
    *get_admin_urlpatterns(view_wrapper=for_superusers),
    path("stats.json", for_superusers(stats_json), name="home_json"),
    path("metrics", for_superusers(prometheus_metrics), name="metrics"),
]
urlpatterns: list[URLPattern | URLResolver] = [
    path("staff/doctor/", desk.doctor, name="doctor"),
    path("staff/doctor/mend/", desk.mend, name="mend"),
    path("", include("gallery.urls")),
    path("accounts/", include("allauth.account.urls")),
    path("admin/login/", staff_entrance),
    path("admin/queues/", include((queue_pages, "django_rq"))),
    path("admin/", admin.site.urls),
]

if settings.OIDC_NAME:
    urlpatterns += [
        path("accounts/3rdparty/", include("allauth.socialaccount.urls")),
        path("accounts/", include("allauth.socialaccount.providers.openid_connect.urls")),
    ]

handler400 = "gallery.views.photos.bad_request"
