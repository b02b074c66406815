"""Addresses of the gallery."""

from django.urls import path

from gallery.views import accounts, artworks, cards, dashboard, downloads, media, photos, twins

urlpatterns = [
    path("", photos.album, name="album"),
    path("photos/", photos.upload, name="upload"),
    path("photos/<slug:key>/", photos.photo, name="photo"),
    path("photos/<slug:key>/title/", photos.rename, name="rename_photo"),
    path("photos/<slug:key>/paint/", photos.paint_again, name="paint_again"),
    path("photos/<slug:key>/remove/", photos.remove, name="remove_photo"),
    path("photos/<slug:key>/twin/use/", twins.use, name="use_twin"),
    path("photos/<slug:key>/twin/paint/", twins.paint, name="paint_itself"),
    path("duplicates/", twins.duplicates, name="duplicates"),
    path("duplicates/merge/", twins.merge, name="merge_photos"),
    path("photos/<slug:key>/cancel/", artworks.cancel_photo, name="cancel_photo"),
    path("photos/<slug:key>/retry/", artworks.retry_photo, name="retry_photo"),
    path("artworks/cancel/", artworks.cancel_all, name="cancel_all"),
    path("artworks/retry/", artworks.retry_all, name="retry_all"),
    path("artworks/<slug:key>/cancel/", artworks.cancel, name="cancel_artwork"),
    path("artworks/<slug:key>/retry/", artworks.retry, name="retry_artwork"),
    path("artworks/<slug:key>/remove/", artworks.remove, name="remove_artwork"),
    path("artworks/<slug:key>/download/", downloads.download, name="download"),
    path("history/", artworks.history, name="history"),
    path("status/", cards.status, name="status"),
    path("media/photos/<slug:key>/original", media.photo_original, name="photo_original"),
    path("media/photos/<slug:key>/<int:width>.jpg", media.photo_file, name="photo_file"),
    path("media/artworks/<slug:key>/<int:width>.jpg", media.artwork_file, name="artwork_file"),
    path("media/artworks/<slug:key>/preview.jpg", media.preview_file, name="preview_file"),
    path("settings/", accounts.preferences, name="preferences"),
    path("settings/close/", accounts.close_account, name="close_account"),
    path("language/", accounts.language, name="language"),
    path("theme/", accounts.theme, name="theme"),
    path("setup/<slug:token>/", accounts.setup, name="setup"),
    path("invitations/<slug:key>/", accounts.invitation, name="invitation"),
    path("staff/", dashboard.dashboard, name="dashboard"),
    path("staff/invitations/", accounts.invitations, name="invitations"),
]
