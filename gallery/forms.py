"""Forms: what people may send, checked and in words."""

from collections.abc import Iterable
from datetime import date, datetime, time, timedelta
from typing import TYPE_CHECKING, Any, Self, TypeAlias, cast

from allauth.account.forms import LoginForm
from django import forms
from django.conf import settings
from django.contrib.auth.password_validation import validate_password
from django.contrib.auth.validators import UnicodeUsernameValidator
from django.core.files.uploadedfile import UploadedFile
from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models
from django.http import QueryDict
from django.utils import timezone
from django.utils.crypto import salted_hmac
from django.utils.datastructures import MultiValueDict
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from gallery import accounts, looks, people, photos, shares
from gallery.album import Order, Wish
from gallery.models import Artwork, How, Photo, Share, Stage, Theme, User
from gallery.shares import Terms
from gallery.templatetags.words import look_label, style_label
from gallery.uploads import HashedUpload
from rendering import exports, styles
from rendering.exports import Variant
from rendering.models import ExportFormat, Kind, Reason, Sheet, State
from rendering.styles.base import Parameter, ParameterError, Style, Values

if TYPE_CHECKING:
    from django_stubs_ext import StrOrPromise

Offered: TypeAlias = Iterable[tuple[str, str]]
Files: TypeAlias = "MultiValueDict[str, UploadedFile[bytes]] | None"


PAGE_SIZE, FULL_SIZE = "page", "full"
MINUTES = forms.DateTimeInput(attrs={"type": "datetime-local"}, format="%Y-%m-%dT%H:%M")


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
        super().__init__(sent, files, initial={name: getattr(person, name) for name in ("styles", "look", "full_size")})


class KnobField(forms.FloatField):
    """One parameter of a style; the style itself says what it takes."""

    def __init__(self, parameter: Parameter, value: float) -> None:
        """Begin with this value."""
        attributes = {"min": f"{parameter.low:g}", "max": f"{parameter.high:g}", "step": f"{parameter.step:g}"}
        if parameter.is_switch:
            attributes |= {"data-off": looks.written(0, parameter), "data-on": looks.written(1, parameter)}
        wrong = _("A number from %(low)s to %(high)s, please.") % {"low": attributes["min"], "high": attributes["max"]}
        super().__init__(
            label=_(parameter.label),
            help_text=_(parameter.effect),
            initial=f"{value:g}",
            widget=forms.NumberInput(attrs={**attributes, "autocomplete": "off", "data-unit": parameter.unit}),
            error_messages={"required": wrong, "invalid": wrong},
        )
        self.parameter = parameter

    def clean(self, value: Any) -> float:  # Any: as it was sent
        """Return the value on its step."""
        number: float = super().clean(value)
        try:
            return self.parameter.checked(number)
        except ParameterError as error:
            raise forms.ValidationError(self.error_messages["invalid"]) from error


class ValuesForm(forms.Form):
    """A style's own form: a knob for each of its parameters, turned from a look."""

    def __init__(
        self, sent: QueryDict | None = None, *, style: Style, look: str, values: Values, full_size: bool = False
    ) -> None:
        """Begin with these values."""
        super().__init__(sent, initial={"full_size": full_size})
        self.style = style
        self.look = look
        for parameter in style.parameters:
            self.fields[parameter.name] = KnobField(parameter, values[parameter.name])
        self.fields["full_size"] = forms.BooleanField(
            label=_("Full size"), help_text=_("As large as the photo itself. It takes longer."), required=False
        )

    @property
    def values(self) -> dict[str, float]:
        """The numbers that were sent, once they are found valid."""
        return {each.name: self.cleaned_data[each.name] for each in self.style.parameters}

    @property
    def wanted(self) -> dict[str, Any]:  # Any: what artworks.commission takes
        """What is to be painted: a look as it is, if that is what all the turning came to."""
        found = looks.named(self.style, self.values)
        what = {"look": found} if found else {"look": self.look, "changes": self.values}
        return {"styles": [self.style.name], "full_size": self.cleaned_data["full_size"], **what}


class ForPersonForm(PaintForm):
    """What somebody chose on a page that may be older than the sign-in: for somebody else it does nothing."""

    person = forms.CharField(required=False, widget=forms.HiddenInput)

    def __init__(self, sent: QueryDict | None = None, files: Files = None, *, person: User) -> None:
        """Say whose page it is."""
        super().__init__(sent, files, person=person)
        # Not the row's number: a page has nothing of it elsewhere.
        self.initial["person"] = self.badge = salted_hmac("gallery.uploads", str(person.pk)).hexdigest()[:16]

    def clean_person(self) -> None:
        """Refuse what was chosen by another person, in this browser."""
        if self.cleaned_data["person"] not in ("", self.badge):
            raise forms.ValidationError(_("Somebody else was signed in when this was chosen."))

    def clean(self) -> dict[str, Any]:  # Any: Django's own type
        """Return the wishes alone."""
        return {name: value for name, value in self.cleaned_data.items() if name != "person"}


class UploadForm(ForPersonForm):
    """New photos, and what they are to be painted in."""

    photos = PhotosField(
        label=gettext_lazy("Photos"), error_messages={"required": gettext_lazy("Choose at least one photo.")}
    )


class KnownForm(ForPersonForm):
    """A file by its hash and name, and what it is to be painted in if the person has brought it before."""

    sha256 = forms.RegexField(r"^[0-9a-f]{64}\Z")
    name = forms.CharField(required=False, max_length=1000)


class TitleForm(forms.Form):
    """Another title of a photo, and what it shows."""

    title = forms.CharField(label=gettext_lazy("Title"), max_length=photos.TITLE_LENGTH, required=False)
    description = forms.CharField(
        label=gettext_lazy("Description"),
        help_text=gettext_lazy("What it shows, for people who cannot see it."),
        max_length=photos.DESCRIPTION_LENGTH,
        required=False,
        widget=forms.Textarea({"rows": 2}),
    )


class DayField(forms.DateField):
    """A day of the calendar, of those that a history can have."""

    def __init__(self, *, label: "StrOrPromise") -> None:
        """Ask by the browser's own calendar."""
        between = [MinValueValidator(date(2000, 1, 1)), MaxValueValidator(date(2999, 12, 31))]
        widget = forms.DateInput(attrs={"type": "date"}, format="%Y-%m-%d")
        super().__init__(label=label, required=False, widget=widget, input_formats=["%Y-%m-%d"], validators=between)


class AlbumForm(forms.Form):
    """Which photos the album shows, and in which order; what is not understood filters nothing."""

    words = forms.CharField(
        label=gettext_lazy("Search"), max_length=100, required=False, widget=forms.TextInput({"type": "search"})
    )
    order = forms.ChoiceField(label=gettext_lazy("Order"), required=False, choices=Order.choices)
    style = forms.ChoiceField(label=gettext_lazy("Style"), required=False)
    look = forms.ChoiceField(label=gettext_lazy("Look"), required=False)
    stage = forms.ChoiceField(label=gettext_lazy("State"), required=False)
    since = DayField(label=gettext_lazy("From"))
    until = DayField(label=gettext_lazy("To"))
    favorite = forms.BooleanField(label=gettext_lazy("Favorites only"), required=False)

    def __init__(self, sent: QueryDict) -> None:
        """Offer everything, and each choice."""
        super().__init__(sent, auto_id="album_%s")
        choices = {"style": style_choices(), "look": look_choices(), "stage": Stage.choices}
        for name, offered in choices.items():
            cast("forms.ChoiceField", self.fields[name]).choices = [("", _("all")), *cast("Offered", offered)]

    @property
    def wish(self) -> Wish:
        """The filters that are set and understood."""
        self.is_valid()
        return Wish(**{name: value for name, value in self.cleaned_data.items() if value})


class HistoryForm(forms.Form):
    """Which artworks the history shows; what is not understood filters nothing."""

    style = forms.ChoiceField(label=gettext_lazy("Style"), required=False)
    look = forms.ChoiceField(label=gettext_lazy("Look"), required=False)
    stage = forms.ChoiceField(label=gettext_lazy("State"), required=False)
    how = forms.ChoiceField(label=gettext_lazy("How it was got"), required=False)
    since = DayField(label=gettext_lazy("From"))
    until = DayField(label=gettext_lazy("To"))

    def __init__(self, sent: QueryDict) -> None:
        """Offer everything, and each choice."""
        super().__init__(sent)
        choices = {"style": style_choices(), "look": look_choices(), "stage": Stage.choices, "how": How.choices}
        for name, offered in choices.items():
            cast("forms.ChoiceField", self.fields[name]).choices = [("", _("all")), *cast("Offered", offered)]

    @property
    def chosen(self) -> dict[str, Any]:  # Any: words, and days for the two dates
        """The filters that are set and understood."""
        self.is_valid()
        return {name: value for name, value in self.cleaned_data.items() if value}


class JobForm(forms.Form):
    """Which work the job console shows; what is not understood filters nothing."""

    kind = forms.ChoiceField(label=gettext_lazy("Work"), required=False)
    person = forms.CharField(label=gettext_lazy("Person"), required=False, max_length=150)
    title = forms.CharField(label=gettext_lazy("Photo's title"), required=False, max_length=120)
    style = forms.ChoiceField(label=gettext_lazy("Style"), required=False)
    state = forms.ChoiceField(label=gettext_lazy("State"), required=False)
    reason = forms.ChoiceField(label=gettext_lazy("Reason"), required=False)
    since = forms.DateTimeField(label=gettext_lazy("From"), required=False, widget=MINUTES)
    until = forms.DateTimeField(label=gettext_lazy("Until"), required=False, widget=MINUTES)
    worker = forms.CharField(required=False, max_length=100, widget=forms.HiddenInput)
    job = forms.IntegerField(required=False, widget=forms.HiddenInput)

    def __init__(self, sent: QueryDict) -> None:
        """Offer everything, and each choice."""
        super().__init__(sent)
        choices = {"style": style_choices(), "state": State.choices, "reason": Reason.choices}
        for name, offered in choices.items():
            cast("forms.ChoiceField", self.fields[name]).choices = [("", _("all")), *cast("Offered", offered)]
        kinds = [("", _("paintings")), ("reading", _("photos to be read")), ("saving", _("files to be saved"))]
        cast("forms.ChoiceField", self.fields["kind"]).choices = kinds

    @property
    def of(self) -> Kind:
        """The kind of work that is looked for."""
        return Kind(self.chosen.get("kind") or Kind.PAINTING)

    @property
    def chosen(self) -> dict[str, Any]:  # Any: texts, times and a number
        """The filters that are set and understood."""
        self.is_valid()
        return {name: value for name, value in self.cleaned_data.items() if value}


class AuditForm(forms.Form):
    """Which entries of the audit log are shown; what is not understood filters nothing."""

    actor = forms.CharField(label=gettext_lazy("Who"), required=False, max_length=150)
    action = forms.ChoiceField(label=gettext_lazy("What"), required=False)
    words = forms.CharField(label=gettext_lazy("Of what, or why"), required=False, max_length=100)
    since = forms.DateTimeField(label=gettext_lazy("From"), required=False, widget=MINUTES)

    def __init__(self, sent: QueryDict, *, actions: Iterable[str]) -> None:
        """Offer everything, and each action that was ever done."""
        super().__init__(sent)
        offered = [("", _("all")), *((action, action) for action in actions)]
        cast("forms.ChoiceField", self.fields["action"]).choices = offered

    @property
    def chosen(self) -> dict[str, Any]:  # Any: texts and a time
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
    size = forms.ChoiceField(
        label=gettext_lazy("Size"),
        choices=[(PAGE_SIZE, PAGE_SIZE), (FULL_SIZE, FULL_SIZE), *Sheet.choices],
        error_messages=dict.fromkeys(
            ("required", "invalid_choice"),
            gettext_lazy("Paintings are saved as they are, at full size, or for a sheet."),
        ),
    )
    bare = forms.BooleanField(label=gettext_lazy("Without the recipe inside"), required=False)

    def __init__(self, sent: QueryDict) -> None:
        """Take what is said, and say the rest."""
        super().__init__({"format": ExportFormat.JPEG, "intensity": "100", "size": PAGE_SIZE, **sent.dict()})

    @property
    def file(self) -> dict[str, Any]:  # Any: what exports.ask takes
        """The format and the intensity."""
        return {name: self.cleaned_data[name] for name in ("format", "intensity")}

    @property
    def is_plain(self) -> bool:
        """Whether this is the format and intensity of the painting as it is filed."""
        return self.file == {"format": ExportFormat.JPEG, "intensity": 100}

    def variant(self, artwork: Artwork) -> Variant:
        """Return the size, and whether the recipe is to be inside."""
        size, labeled = self.cleaned_data["size"], not self.cleaned_data["bare"]
        if size == PAGE_SIZE or artwork.rendition is None:
            return Variant(labeled=labeled)
        sheet = "" if size == FULL_SIZE else size
        return exports.at_full_size(artwork.rendition, artwork.source, sheet=sheet, labeled=labeled)


class PreferencesForm(forms.Form):
    """What a person likes."""

    language = forms.ChoiceField(label=gettext_lazy("Language"), required=False)
    theme = forms.ChoiceField(label=gettext_lazy("Appearance"), choices=Theme.choices)
    styles = StylesField()
    look = LookField()
    full_size = forms.BooleanField(
        label=gettext_lazy("Full size"),
        help_text=gettext_lazy("As large as the photo itself. It takes longer."),
        required=False,
    )
    keys_off = forms.BooleanField(label=gettext_lazy("No keyboard shortcuts"), required=False)
    email = forms.EmailField(
        label=gettext_lazy("E-mail"),
        help_text=gettext_lazy("For a forgotten password. You may leave it empty."),
        max_length=254,
        required=False,
    )
    mail_when_done = forms.BooleanField(
        label=gettext_lazy("Mail me when many paintings are finished"),
        help_text=gettext_lazy("One mail for all that you have added together, if it took longer than two minutes."),
        required=False,
    )

    private = forms.BooleanField(
        label=gettext_lazy("Keep my photos out of the shared cache"),
        help_text=gettext_lazy(
            "Who brings exactly a picture that somebody else has brought gets its paintings at once, and neither knows "
            "of the other. With this, your photos neither take part nor give. It holds for photos that you add from "
            "now on: to take out an older one, remove it, empty the bin, and add it again."
        ),
        required=False,
    )

    def __init__(self, sent: QueryDict | None = None, *, person: User) -> None:
        """Begin with what the person chose before."""
        names = (*accounts.LIKED, "email", "private")
        self.person = person
        super().__init__(sent, initial={name: getattr(person, name) for name in names})
        languages = [("", _("as the browser")), *settings.LANGUAGES]
        cast("forms.ChoiceField", self.fields["language"]).choices = languages
        if not settings.SHARED_CACHE:
            # Nobody shares anything here: there is nothing to choose.
            del self.fields["private"]

    def clean(self) -> dict[str, Any]:
        """Ask for an address if there is to be mail."""
        if self.cleaned_data.get("mail_when_done") and self.cleaned_data.get("email") == "":
            self.add_error("email", _("Without an address there is no mail."))
        return self.cleaned_data

    @property
    def changes_email(self) -> bool:
        """Whether another address would get the mail for a forgotten password."""
        return bool(self.cleaned_data["email"].lower() != self.person.email.lower())


class SignInForm(LoginForm):  # type: ignore[misc]  # allauth has no types
    """The door, by either of the two names that people have here."""

    def __init__(self, *arguments: Any, **named: Any) -> None:  # Any: allauth's own
        """Say which names those are: allauth calls them "login"."""
        super().__init__(*arguments, **named)
        self.fields["login"].label = _("Username or e-mail address")
        for field in self.fields.values():
            field.widget.attrs.pop("placeholder", None)


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


class Lasts(models.TextChoices):
    """How long a share is open."""

    KEEP = "keep", gettext_lazy("as it is")
    OPEN = "open", gettext_lazy("until I end it")
    DAY = "day", gettext_lazy("1 day")
    WEEK = "week", gettext_lazy("1 week")
    MONTH = "month", gettext_lazy("1 month")
    UNTIL = "until", gettext_lazy("until the end of a day:")


SPANS = {Lasts.DAY: timedelta(days=1), Lasts.WEEK: timedelta(days=7), Lasts.MONTH: timedelta(days=30)}


class ShareForm(forms.Form):
    """Photos to be seen by whoever has the link, and on which terms."""

    title = forms.CharField(
        label=gettext_lazy("Title"),
        help_text=gettext_lazy("Everybody who has the link sees it. Your photos' own titles are not shown."),
        max_length=photos.TITLE_LENGTH,
        required=False,
    )
    photos = forms.ModelMultipleChoiceField(
        label=gettext_lazy("Photos"),
        queryset=Photo.objects.none(),
        to_field_name="key",
        error_messages={"required": gettext_lazy("Choose at least one photo.")},
    )
    password = forms.CharField(
        label=gettext_lazy("Password (optional)"),
        strip=False,
        max_length=128,
        required=False,
        widget=forms.PasswordInput(attrs={"autocomplete": "new-password"}),
    )
    without_password = forms.BooleanField(label=gettext_lazy("No password any more"), required=False)
    lasts = forms.ChoiceField(label=gettext_lazy("How long it is open"), widget=forms.RadioSelect)
    until = forms.DateField(
        label=gettext_lazy("Last day"),
        required=False,
        widget=forms.DateInput(format="%Y-%m-%d", attrs={"type": "date"}),
    )
    full_size = forms.BooleanField(
        label=gettext_lazy("Allow the largest size"),
        help_text=gettext_lazy("Without it pictures are at most 800 pixels wide."),
        required=False,
    )

    def __init__(
        self,
        sent: QueryDict | None = None,
        *,
        person: User,
        now: datetime,
        share: Share | None = None,
        initial: dict[str, Any] | None = None,  # Any: as Django has it
    ) -> None:
        """Offer the person's own photos; begin with what the share is now, if there is one."""
        self.now, self.share = now, share
        super().__init__(sent, initial={"lasts": Lasts.OPEN, **(initial or {})})
        own = person.photos.in_album().filter(removed_at=None)
        cast("forms.ModelMultipleChoiceField[Photo]", self.fields["photos"]).queryset = own
        offered = [choice for choice in Lasts if choice != Lasts.KEEP or (share and share.expires_at)]
        cast("forms.ChoiceField", self.fields["lasts"]).choices = [(each.value, each.label) for each in offered]
        if not (share and share.password):
            del self.fields["without_password"]

    @classmethod
    def of(cls, share: Share, sent: QueryDict | None = None, *, now: datetime) -> Self:
        """Return the form with what a share is now."""
        shown = {"photos": share.photos.all(), "title": share.title, "full_size": share.full_size}
        first = {**shown, "lasts": Lasts.KEEP if share.expires_at else Lasts.OPEN}
        return cls(sent, person=share.owner, now=now, share=share, initial=first)

    @property
    def terms(self) -> Terms:
        """What was chosen."""
        kept = self.cleaned_data
        # An empty field changes nothing: a password that is set is not shown, so that it cannot be sent again.
        said = kept["password"] or None
        password = "" if kept.get("without_password") else said
        return Terms(kept["title"], password, full_size=kept["full_size"], expires_at=self._expires_at())

    def clean_photos(self) -> list[Photo]:
        """Return the photos, if they are not too many."""
        chosen = list(self.cleaned_data["photos"])
        if len(chosen) > shares.PHOTOS_A_SHARE:
            limit = {"limit": shares.PHOTOS_A_SHARE}
            raise forms.ValidationError(_("One link shows at most %(limit)s photos.") % limit)
        return chosen

    def clean(self) -> dict[str, Any]:
        """See that a day is said where one is needed, and that it is to come."""
        kept = self.cleaned_data
        if kept.get("lasts") == Lasts.UNTIL and "until" in kept:
            if not kept["until"]:
                self.add_error("until", _("Choose the last day."))
            elif kept["until"] < timezone.localdate(self.now):
                self.add_error("until", _("This day is over."))
        return kept

    def _expires_at(self) -> datetime | None:
        chosen = Lasts(self.cleaned_data["lasts"])
        if chosen == Lasts.KEEP and self.share:
            return self.share.expires_at
        if chosen == Lasts.UNTIL:
            day: date = self.cleaned_data["until"] + timedelta(days=1)
            return timezone.make_aware(datetime.combine(day, time.min))
        return self.now + SPANS[chosen] if chosen in SPANS else None


class DoorForm(forms.Form):
    """The password of a share."""

    password = forms.CharField(
        label=gettext_lazy("Password"),
        strip=False,
        max_length=128,
        widget=forms.PasswordInput(attrs={"autocomplete": "off"}),
    )


class PeopleForm(forms.Form):
    """Which people staff see; what is not understood filters nothing."""

    q = forms.CharField(label=gettext_lazy("Name or address"), max_length=100, required=False)
    standing = forms.ChoiceField(
        label=gettext_lazy("Standing"), choices=[("", gettext_lazy("all")), *people.Standing.choices], required=False
    )

    @property
    def chosen(self) -> dict[str, str]:
        """What is asked for, by the names that the use case has for it."""
        self.is_valid()
        return {"words": self.cleaned_data.get("q", ""), "standing": self.cleaned_data.get("standing", "")}


class ReasonForm(forms.Form):
    """Why staff do something; it stands in the audit log."""

    reason = forms.CharField(label=gettext_lazy("Why"), max_length=300, required=False)


class StandingForm(ReasonForm):
    """What becomes of an account."""

    action = forms.ChoiceField(choices=[(name, name) for name in ("approve", "refuse", "disable", "enable")])


class LimitsForm(ReasonForm):
    """A named allowance, and limits of the person's own."""

    preset = forms.ChoiceField(label=gettext_lazy("Allowance"), choices=people.Preset.choices, required=False)
    paintings_an_hour = forms.IntegerField(
        label=gettext_lazy("Paintings an hour"), min_value=0, max_value=1_000_000, required=False
    )
    uploads_an_hour = forms.IntegerField(
        label=gettext_lazy("Photos an hour"), min_value=0, max_value=1_000_000, required=False
    )
    photos_at_once = forms.IntegerField(
        label=gettext_lazy("Photos in work at once"), min_value=0, max_value=1_000_000, required=False
    )
    megabytes = forms.IntegerField(
        label=gettext_lazy("Megabytes in storage"), min_value=0, max_value=1_000_000_000, required=False
    )
    field_order = ("preset", *people.LIMITS, "reason")

    @property
    def limits(self) -> dict[str, int | None]:
        """The person's own limits; None where there is none."""
        return {name: self.cleaned_data[name] for name in people.LIMITS}


class RoleForm(ReasonForm):
    """What a member of the staff may do."""

    role = forms.ChoiceField(label=gettext_lazy("Role"), choices=people.Role.choices, required=False)
    field_order = ("role", "reason")


class MomentField(forms.DateTimeField):
    """A day and a time by the person's clock."""

    def __init__(self, *, label: "StrOrPromise", help_text: "StrOrPromise") -> None:
        """Ask by the browser's own calendar and clock."""
        widget = forms.DateTimeInput(attrs={"type": "datetime-local"}, format="%Y-%m-%dT%H:%M")
        super().__init__(label=label, help_text=help_text, required=False, widget=widget)


class NoticeForm(forms.Form):
    """What everybody is told, and for how long."""

    text = forms.CharField(label=gettext_lazy("Text"), max_length=300)
    starts_at = MomentField(label=gettext_lazy("From"), help_text=gettext_lazy("Empty: at once."))
    ends_at = MomentField(label=gettext_lazy("Until"), help_text=gettext_lazy("Empty: until somebody takes it down."))
    closes_uploads = forms.BooleanField(
        label=gettext_lazy("Take no photos meanwhile"),
        help_text=gettext_lazy("Whoever adds photos is told why. What waits already is painted."),
        required=False,
    )

    def clean(self) -> dict[str, Any]:
        """Begin now if nothing else is said, and end after that."""
        kept = self.cleaned_data
        kept["starts_at"] = kept.get("starts_at") or timezone.now()
        if kept.get("ends_at") and kept["ends_at"] <= max(kept["starts_at"], timezone.now()):
            self.add_error("ends_at", _("It must end after it begins, and in the future."))
        return kept
