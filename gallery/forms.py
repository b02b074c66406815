"""Forms: what people may send, checked and in words."""

from collections.abc import Iterable
from typing import Any, TypeAlias, cast

from django import forms
from django.conf import settings
from django.contrib.auth.password_validation import validate_password
from django.contrib.auth.validators import UnicodeUsernameValidator
from django.core.files.uploadedfile import UploadedFile
from django.http import QueryDict
from django.utils.datastructures import MultiValueDict
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from gallery import accounts, photos
from gallery.models import How, Photo, Stage, Theme, User
from gallery.templatetags.words import look_label, style_label
from gallery.uploads import HashedUpload
from rendering import styles
from rendering.models import ExportFormat

Offered: TypeAlias = Iterable[tuple[str, str]]
Files: TypeAlias = "MultiValueDict[str, UploadedFile[bytes]] | None"


def style_choices() -> list[tuple[str, str]]:
    """Return all styles with their names in the person's language."""
    return [(name, style_label(name)) for name in styles.NAMES]


def look_choices() -> list[tuple[str, str]]:
    """Return all looks with their names in the person's language."""
    return [(name, look_label(name)) for name in styles.LOOKS]


def sentence(form: forms.BaseForm) -> str:
    """Return what is wrong with a form, in one line."""
    return " ".join(str(text) for texts in form.errors.values() for text in texts)


class StylesField(forms.MultipleChoiceField):
    """One or more styles."""

    widget = forms.CheckboxSelectMultiple

    def __init__(self) -> None:
        """Offer all styles of the catalog."""
        required = gettext_lazy("Choose at least one style.")
        super().__init__(label=gettext_lazy("Styles"), choices=style_choices, error_messages={"required": required})


class LookField(forms.ChoiceField):
    """One look."""

    widget = forms.RadioSelect

    def __init__(self) -> None:
        """Offer all looks."""
        required = gettext_lazy("Choose a look.")
        super().__init__(label=gettext_lazy("Look"), choices=look_choices, error_messages={"required": required})


class PhotosInput(forms.FileInput):
    """An input for many files."""

    allow_multiple_selected = True


class PhotosField(forms.Field):
    """Uploaded files, whatever they are: what cannot be a photo is refused one by one, not all together."""

    widget = PhotosInput

    def to_python(self, value: Iterable[HashedUpload] | None) -> list[HashedUpload]:
        """Return the files."""
        return list(value or [])


class PaintForm(forms.Form):
    """What a photo is to be painted in."""

    styles = StylesField()
    look = LookField()
    full_size = forms.BooleanField(
        label=gettext_lazy("Full size"),
        help_text=gettext_lazy("As large as the photo itself. It takes longer."),
        required=False,
    )

    def __init__(self, sent: QueryDict | None = None, files: Files = None, *, person: User) -> None:
        """Begin with what the person likes."""
        super().__init__(sent, files, initial={"styles": person.styles, "look": person.look})


class UploadForm(PaintForm):
    """New photos, and what they are to be painted in."""

    photos = PhotosField(
        label=gettext_lazy("Photos"), error_messages={"required": gettext_lazy("Choose at least one photo.")}
    )


class TitleForm(forms.Form):
    """Another title of a photo."""

    title = forms.CharField(label=gettext_lazy("Title"), max_length=photos.TITLE_LENGTH, required=False)


class HistoryForm(forms.Form):
    """Which artworks the history shows; what is not understood filters nothing."""

    style = forms.ChoiceField(label=gettext_lazy("Style"), required=False)
    look = forms.ChoiceField(label=gettext_lazy("Look"), required=False)
    stage = forms.ChoiceField(label=gettext_lazy("State"), required=False)
    how = forms.ChoiceField(label=gettext_lazy("How it was got"), required=False)

    def __init__(self, sent: QueryDict) -> None:
        """Offer everything, and each choice."""
        super().__init__(sent)
        choices = {"style": style_choices(), "look": look_choices(), "stage": Stage.choices, "how": How.choices}
        for name, offered in choices.items():
            cast("forms.ChoiceField", self.fields[name]).choices = [("", _("all")), *cast("Offered", offered)]

    @property
    def chosen(self) -> dict[str, str]:
        """The filters that are set and understood."""
        self.is_valid()
        return {name: value for name, value in self.cleaned_data.items() if value}


class DownloadForm(forms.Form):
    """How a painting is to be saved; what is not said is the plain painting."""

    format = forms.ChoiceField(
        label=gettext_lazy("Format"),
        choices=ExportFormat.choices,
        error_messages=dict.fromkeys(
            ("required", "invalid_choice"), gettext_lazy("Paintings are saved as JPEG, PNG, WebP or AVIF.")
        ),
    )
    intensity = forms.IntegerField(
        label=gettext_lazy("Intensity"),
        min_value=0,
        max_value=100,
        error_messages=dict.fromkeys(
            ("required", "invalid", "min_value", "max_value"),
            gettext_lazy("The intensity is a whole number from 0 to 100."),
        ),
    )

    def __init__(self, sent: QueryDict) -> None:
        """Take what is said, and say the rest."""
        super().__init__({"format": ExportFormat.JPEG, "intensity": "100", **sent.dict()})

    @property
    def is_plain(self) -> bool:
        """Whether this is the painting as it is filed."""
        return self.cleaned_data == {"format": ExportFormat.JPEG, "intensity": 100}


class PreferencesForm(forms.Form):
    """What a person likes."""

    language = forms.ChoiceField(label=gettext_lazy("Language"), required=False)
    theme = forms.ChoiceField(label=gettext_lazy("Appearance"), choices=Theme.choices)
    styles = StylesField()
    look = LookField()
    email = forms.EmailField(
        label=gettext_lazy("E-mail"),
        help_text=gettext_lazy("For a forgotten password. You may leave it empty."),
        max_length=254,
        required=False,
    )

    private = forms.BooleanField(
        label=gettext_lazy("Keep my photos out of the shared cache"),
        help_text=gettext_lazy(
            "Who brings exactly a picture that somebody else has brought gets its paintings at once, and neither knows "
            "of the other. With this, your photos neither take part nor give. It holds for photos that you add from "
            "now on: to take out an older one, remove it and add it again."
        ),
        required=False,
    )

    def __init__(self, sent: QueryDict | None = None, *, person: User) -> None:
        """Begin with what the person chose before."""
        names = ("language", "theme", "styles", "look", "email", "private")
        self.person = person
        super().__init__(sent, initial={name: getattr(person, name) for name in names})
        languages = [("", _("as the browser")), *settings.LANGUAGES]
        cast("forms.ChoiceField", self.fields["language"]).choices = languages
        if not settings.SHARED_CACHE:
            # Nobody shares anything here: there is nothing to choose.
            del self.fields["private"]

    @property
    def changes_email(self) -> bool:
        """Whether another address would get the mail for a forgotten password."""
        return bool(self.cleaned_data["email"].lower() != self.person.email.lower())


class CloseAccountForm(forms.Form):
    """The password once more, and a yes."""

    password = forms.CharField(
        label=gettext_lazy("Password"),
        strip=False,
        widget=forms.PasswordInput(attrs={"autocomplete": "current-password"}),
    )
    confirm = forms.BooleanField(label=gettext_lazy("Delete my account and everything in it, for good"))

    def __init__(self, sent: QueryDict | None = None, *, person: User) -> None:
        """Ask this person."""
        self.person = person
        super().__init__(sent)

    def clean_password(self) -> str:
        """Return the password if it is the person's."""
        password: str = self.cleaned_data["password"]
        if not self.person.check_password(password):
            raise forms.ValidationError(_("This is not your password."))
        return password

    def clean(self) -> dict[str, Any]:
        """Keep the last admin, so that the link for the first one does not open again."""
        if accounts.is_only_admin(self.person):
            raise forms.ValidationError(_("You are the only admin here. Make somebody else an admin first."))
        return self.cleaned_data


class SetupForm(forms.Form):
    """The first admin."""

    username = forms.CharField(
        label=gettext_lazy("Username"),
        min_length=2,
        max_length=150,
        validators=[UnicodeUsernameValidator()],
        widget=forms.TextInput(attrs={"autocomplete": "username"}),
    )
    email = forms.EmailField(label=gettext_lazy("E-mail (optional)"), max_length=254, required=False)
    password = forms.CharField(
        label=gettext_lazy("Password"),
        strip=False,
        widget=forms.PasswordInput(attrs={"autocomplete": "new-password"}),
    )

    def clean_username(self) -> str:
        """Return the name in its one spelling; it must be free."""
        username: str = User.normalize_username(self.cleaned_data["username"])
        if User.objects.filter(username__iexact=username).exists():
            raise forms.ValidationError(_("A user with that username already exists."))
        return username

    def clean(self) -> dict[str, Any]:
        """Check the password last: it must not be like the name."""
        kept = self.cleaned_data
        person = User(username=kept.get("username", ""), email=kept.get("email", ""))
        try:
            validate_password(kept.get("password", ""), person)
        except forms.ValidationError as error:
            self.add_error("password", error)
        return kept


class MergeForm(forms.Form):
    """Photos of which one is kept and the others are removed."""

    keep = forms.ModelChoiceField(queryset=Photo.objects.none(), to_field_name="key")
    photo = forms.ModelMultipleChoiceField(queryset=Photo.objects.none(), to_field_name="key")

    def __init__(self, *args: Any, person: User, **kwargs: Any) -> None:  # Any: a form's own arguments
        """Offer the person's own photos."""
        super().__init__(*args, **kwargs)
        for field in self.fields.values():
            cast("forms.ModelChoiceField[Photo]", field).queryset = person.photos.in_album()

    def clean_photo(self) -> list[Photo]:
        """Return the photos to be removed; the one that is kept is not among them."""
        others = [photo for photo in self.cleaned_data["photo"] if photo != self.cleaned_data.get("keep")]
        if not others:
            raise forms.ValidationError(_("Choose at least one photo."))
        return others


class InvitationForm(forms.Form):
    """An invitation."""

    note = forms.CharField(label=gettext_lazy("For whom"), max_length=120, required=False)


class LanguageForm(forms.Form):
    """A language of the pages."""

    language = forms.ChoiceField(choices=settings.LANGUAGES)


class ThemeForm(forms.Form):
    """Light or dark pages."""

    theme = forms.ChoiceField(choices=Theme.choices)
