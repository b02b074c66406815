"""Addresses of the gallery."""

from django.urls import path

from gallery.views import accounts, artworks, cards, dashboard, downloads, media, photos

urlpatterns = [
    path("", photos.album, name="album"),
    path("photos/", photos.upload, name="upload"),
    path("photos/<slug:key>/", photos.photo, name="photo"),
    path("photos/<slug:key>/title/", photos.rename, name="rename_photo"),
    path("photos/<slug:key>/paint/", photos.paint_again, name="paint_again"),
    path("photos/<slug:key>/remove/", photos.remove, name="remove_photo"),
    path("artworks/<slug:key>/cancel/", artworks.cancel, name="cancel_artwork"),
    path("artworks/<slug:key>/retry/", artworks.retry, name="retry_artwork"),
    path("artworks/<slug:key>/remove/", artworks.remove, name="remove_artwork"),
    path("artworks/<slug:key>/download/", downloads.download, name="download"),
    path("history/", artworks.history, name="history"),
    path("status/", cards.status, name="status"),
    path("media/photos/<slug:key>/original", media.photo_original, name="photo_original"),
    path("media/photos/<slug:key>/<int:width>.jpg", media.photo_file, name="photo_file"),
    path("media/artworks/<slug:key>/<int:width>.jpg", media.artwork_file, name="artwork_file"),
    path("settings/", accounts.preferences, name="preferences"),
    path("settings/close/", accounts.close_account, name="close_account"),
    path("language/", accounts.language, name="language"),
    path("theme/", accounts.theme, name="theme"),
    path("setup/<slug:token>/", accounts.setup, name="setup"),
    path("invitations/<slug:key>/", accounts.invitation, name="invitation"),
    path("staff/", dashboard.dashboard, name="dashboard"),
    path("staff/invitations/", accounts.invitations, name="invitations"),
]
