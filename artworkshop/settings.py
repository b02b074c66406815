"""Settings of the site: everything that an admin may choose comes from the environment or the .env file."""

import hashlib
import os
import tempfile
from pathlib import Path
from typing import Any
from urllib.parse import quote, urlsplit

import dj_database_url
from csp.constants import NONE, SELF
from django.core.exceptions import ImproperlyConfigured

from artworkshop import environment
from artworkshop.secrets import secret_key

BASE_DIR = Path(__file__).resolve().parent.parent
environment.load(BASE_DIR / ".env")

# Where things are kept

DATA_DIR = environment.folder("DATA_DIR", BASE_DIR / "var")
SECRET_KEY = environment.text("SECRET_KEY") or secret_key(DATA_DIR)
if len(SECRET_KEY) < 32:
    message = "SECRET_KEY must have at least 32 characters."
    raise ImproperlyConfigured(message)


def _socket_folder() -> Path:
    # A unix socket's path must stay under 107 bytes; a deep data folder gets a short one of its own.
    folder = DATA_DIR / "valkey"
    if len(str(folder)) <= 90:
        return folder
    return Path(tempfile.gettempdir()) / f"artworkshop-{hashlib.sha256(str(DATA_DIR).encode()).hexdigest()[:12]}"


VALKEY_DIR = DATA_DIR / "valkey"
VALKEY_SOCKET = _socket_folder() / "valkey.sock"
EMBEDDED_VALKEY = not environment.text("REDIS_URL")
REDIS_URL = environment.address("REDIS_URL", f"unix://{quote(str(VALKEY_SOCKET))}", ("redis", "rediss", "unix"))

DATABASE_URL = environment.address(
    "DATABASE_URL", f"sqlite:///{quote(str(DATA_DIR / 'artworkshop.sqlite3'))}", ("sqlite", "postgres", "postgresql")
)


def _database() -> dict[str, Any]:
    config: dict[str, Any] = dict(dj_database_url.parse(DATABASE_URL))
    if config["ENGINE"].endswith("sqlite3"):
        # IMMEDIATE: with several writers plain BEGIN fails as "locked", where this one waits its turn.
        config["OPTIONS"] = {
            "transaction_mode": "IMMEDIATE",
            "timeout": 20,
            "init_command": "PRAGMA journal_mode=WAL; PRAGMA synchronous=NORMAL;",
        }
        config["CONN_MAX_AGE"] = 600  # seconds: a new connection for each request would cost 1.5 ms
        return config
    return {**config, "CONN_MAX_AGE": 0, "OPTIONS": {**config.get("OPTIONS", {}), "pool": True}}


DATABASES = {"default": _database()}
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"

STORAGE = environment.choice("STORAGE", "files", ("files", "s3"))


def _media_storage() -> dict[str, Any]:
    if STORAGE == "files":
        options: dict[str, Any] = {"location": str(DATA_DIR / "media"), "file_permissions_mode": 0o600}
        return {"BACKEND": "rendering.disk.WholeFiles", "OPTIONS": options}
    bucket = environment.text("S3_BUCKET")
    if not bucket:
        message = "STORAGE=s3 needs S3_BUCKET, the name of the bucket."
        raise ImproperlyConfigured(message)
    options = {
        "bucket_name": bucket,
        "endpoint_url": environment.text("S3_ENDPOINT") or None,
        "region_name": environment.text("S3_REGION") or None,
        "access_key": environment.text("S3_ACCESS_KEY") or None,
        "secret_key": environment.text("S3_SECRET_KEY") or None,
        "client_config": _patience(environment.choice("S3_ADDRESSING", "auto", ("auto", "path", "virtual"))),
        "default_acl": None,
        "file_overwrite": False,
    }
    return {"BACKEND": "storages.backends.s3.S3Storage", "OPTIONS": options}


def _patience(addressing: str) -> Any:  # Any: botocore has no types
    from botocore.config import Config  # type: ignore[import-untyped]  # noqa: PLC0415 - half a second that files on disk do not cost

    # A server that answers errors three times of ten fails one request of 400 with five tries; without these limits
    # it may hold a worker for minutes.
    retries = {"mode": "standard", "total_max_attempts": 5}
    return Config(s3={"addressing_style": addressing}, connect_timeout=3, read_timeout=10, retries=retries)


STORAGES = {
    "default": _media_storage(),
    "staticfiles": {"BACKEND": "artworkshop.static.HashedStaticFiles"},
}
FILE_UPLOAD_TEMP_DIR = str(environment.folder("UPLOAD_DIR", DATA_DIR / "uploads"))
FILE_UPLOAD_HANDLERS = ["gallery.uploads.HashingUploadHandler"]
DATA_UPLOAD_MAX_NUMBER_FILES = 500
FILE_UPLOAD_MAX_MEMORY_SIZE = 5_000_000  # a body up to this size is not written to the disk twice: a phone's photo
STATIC_URL = "/static/"
STATIC_ROOT = str(DATA_DIR / "static")
STATICFILES_DIRS = [BASE_DIR / "static"]
WHITENOISE_MIMETYPES = {".speculationrules": "application/speculationrules+json"}

# How it is reached

HOST = environment.text("HOST", "127.0.0.1")
PORT = environment.whole("PORT", 8000, low=1, high=65535)
LIVE_STREAMS = environment.whole(
    "LIVE_STREAMS", 500, low=0, high=10_000
)  # open at once; pages beyond ask by themselves
WEB = environment.flag("WEB", default=True)  # no: this host only paints
WORKERS = environment.whole("WORKERS", os.cpu_count() or 1, low=0, high=256)  # 0: this host only serves pages
SITE_URL = environment.address("SITE_URL", f"http://localhost:{PORT}", ("http", "https")).rstrip("/")
HTTPS = SITE_URL.startswith("https://")
ALLOWED_HOSTS = environment.texts("ALLOWED_HOSTS", "*")
CSRF_TRUSTED_ORIGINS = [SITE_URL]
PROXIES = environment.whole("PROXIES", 0, low=0, high=5)
if PROXIES:
    SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https")

ROOT_URLCONF = "artworkshop.urls"
ASGI_APPLICATION = "artworkshop.asgi.application"
WSGI_APPLICATION = "artworkshop.wsgi.application"
DEBUG = environment.flag("DEBUG", default=False)

SESSION_COOKIE_SECURE = CSRF_COOKIE_SECURE = HTTPS
SESSION_COOKIE_AGE = 60 * 60 * 24 * 30
SECURE_SSL_REDIRECT = False
SECURE_HSTS_SECONDS = 60 * 60 * 24 * 30 if HTTPS else 0
SECURE_HSTS_INCLUDE_SUBDOMAINS = SECURE_HSTS_PRELOAD = HTTPS
SECURE_REFERRER_POLICY = "same-origin"
X_FRAME_OPTIONS = "DENY"
CONTENT_SECURITY_POLICY = {
    "DIRECTIVES": {
        "default-src": [SELF],
        "script-src": [SELF],
        "style-src": [SELF],
        "img-src": [SELF, "blob:", "data:"],
        "object-src": [NONE],
        "base-uri": [NONE],
        "frame-ancestors": [NONE],
        "form-action": [SELF],
    }
}
SILENCED_SYSTEM_CHECKS = [
    "security.W008",  # the proxy in front redirects to https; at home the server is reached by plain http
]

# What it is made of

INSTALLED_APPS = [
    "gallery",
    "rendering",
    "artworkshop",
    "django.contrib.admin",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "django.contrib.staticfiles",
    "allauth",
    "allauth.account",
    "django_rq",
    "csp",
]
MIDDLEWARE = [
    "artworkshop.logs.mark_requests",
    "artworkshop.metrics.measure_requests",
    "artworkshop.health.answer_probes",
    "django.middleware.security.SecurityMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "artworkshop.compression.TextCompression",
    "csp.middleware.CSPMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "gallery.languages.PersonLocaleMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "gallery.browsers.middleware",
    "gallery.ahead.middleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "allauth.account.middleware.AccountMiddleware",
]
TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "DIRS": [BASE_DIR / "templates"],
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.template.context_processors.i18n",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
                "gallery.languages.page",
            ]
        },
    }
]
# Counts of failed sign-ins, for each web process: people can sign in while Redis is away.
CACHES = {"default": {"BACKEND": "django.core.cache.backends.locmem.LocMemCache"}}

# People

AUTH_USER_MODEL = "gallery.User"
AUTHENTICATION_BACKENDS = ["allauth.account.auth_backends.AuthenticationBackend"]
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": f"django.contrib.auth.password_validation.{name}"}
    for name in ("UserAttributeSimilarityValidator", "MinimumLengthValidator", "CommonPasswordValidator")
]
SIGN_UP = environment.choice("SIGN_UP", "open", ("open", "closed", "invitation", "approval"))
LOGIN_URL = "account_login"
LOGIN_REDIRECT_URL = "album"
ACCOUNT_ADAPTER = "gallery.accounts.AccountAdapter"
ACCOUNT_FORMS = {"login": "gallery.forms.SignInForm"}
ACCOUNT_LOGIN_METHODS = {"username", "email"}
ACCOUNT_SIGNUP_FIELDS = ["username*", "email", "password1*", "password2*"]
ACCOUNT_EMAIL_VERIFICATION = "none"
ACCOUNT_PREVENT_ENUMERATION = "strict"
ACCOUNT_REAUTHENTICATION_REQUIRED = True
ACCOUNT_LOGOUT_REDIRECT_URL = "account_login"
ACCOUNT_SESSION_REMEMBER = True
ACCOUNT_USERNAME_MIN_LENGTH = 2
ALLAUTH_TRUSTED_PROXY_COUNT = PROXIES
OIDC_NAME = environment.text("OIDC_NAME")  # of the single sign-on, as its button says it
OIDC_SERVER_URL = environment.text("OIDC_SERVER_URL").rstrip("/")
OIDC_CLIENT_ID = environment.text("OIDC_CLIENT_ID")
OIDC_CLIENT_SECRET = environment.text("OIDC_CLIENT_SECRET")
OIDC_WORDS = (OIDC_NAME, OIDC_SERVER_URL, OIDC_CLIENT_ID, OIDC_CLIENT_SECRET)
if any(OIDC_WORDS) and not all(OIDC_WORDS):
    message = "Single sign-on needs OIDC_NAME, OIDC_SERVER_URL, OIDC_CLIENT_ID and OIDC_CLIENT_SECRET."
    raise ImproperlyConfigured(message)
if all(OIDC_WORDS):
    environment.address("OIDC_SERVER_URL", "", ("https", "http"))
    INSTALLED_APPS += ["allauth.socialaccount", "allauth.socialaccount.providers.openid_connect"]
    SOCIALACCOUNT_ADAPTER = "gallery.single_sign_on.SingleSignOnAdapter"
    SOCIALACCOUNT_PROVIDERS = {
        "openid_connect": {
            "APPS": [
                {
                    "provider_id": "sso",
                    "name": OIDC_NAME,
                    "client_id": OIDC_CLIENT_ID,
                    "secret": OIDC_CLIENT_SECRET,
                    "settings": {"server_url": OIDC_SERVER_URL},
                }
            ],
            "OAUTH_PKCE_ENABLED": True,
        }
    }
    # The form behind the button is sent here, and browsers ask whether it may lead there.
    CONTENT_SECURITY_POLICY["DIRECTIVES"]["form-action"].append(
        "{0.scheme}://{0.netloc}".format(urlsplit(OIDC_SERVER_URL))
    )
EMAIL_BACKEND = environment.text("EMAIL_BACKEND", "django.core.mail.backends.console.EmailBackend")
EMAIL_HOST = environment.text("EMAIL_HOST", "localhost")
EMAIL_PORT = environment.whole("EMAIL_PORT", 25, low=1, high=65535)
EMAIL_HOST_USER = environment.text("EMAIL_USER")
EMAIL_HOST_PASSWORD = environment.text("EMAIL_PASSWORD")
EMAIL_USE_TLS = environment.flag("EMAIL_TLS", default=False)
DEFAULT_FROM_EMAIL = environment.text("EMAIL_FROM", "artworkshop@localhost")

# Languages and times

LANGUAGE_CODE = "en"
LANGUAGES = [("en", "English"), ("zh-hans", "简体中文")]
LANGUAGE_COOKIE_AGE = 60 * 60 * 24 * 365
LOCALE_PATHS = [BASE_DIR / "locale"]
TIME_ZONE = environment.time_zone("TIME_ZONE", "UTC")
USE_TZ = True

# Painting

LONG_EDGE = environment.whole("LONG_EDGE", 1024, low=256, high=4096)
MAX_MEGABYTES = environment.whole("MAX_MEGABYTES", 40, low=1, high=200)
MAX_MEGAPIXELS = environment.whole("MAX_MEGAPIXELS", 50, low=1, high=100)
PAGE_WIDTHS = (160, 480, 800)  # besides the painting's own width
WAITING_PHOTOS = environment.whole("WAITING_PHOTOS", 5000, low=1, high=1_000_000)  # with more, no upload is taken
WAITING_MEGABYTES = environment.whole("WAITING_MEGABYTES", 20_000, low=1, high=10_000_000)  # of photos not yet read
FREE_MEGABYTES = environment.whole("FREE_MEGABYTES", 500, low=0, high=1_000_000)  # that uploads leave on the disks
MAX_CRASHES = 2  # a photo that ends its worker's child so often is set aside
MAX_TRIES = 8  # so is work that was begun so often and never ended, whatever the reason
MAX_MEMORY_MB = environment.whole("MAX_MEMORY_MB", 4096, low=1024, high=65536)  # of one worker's child
TEND_SECONDS = 5  # between two looks for work that a crash left behind
LEASE_SECONDS = 20  # a worker that was not heard of for so long is dead; it tells every five seconds
TURN_SECONDS = 15  # a worker's child lives so long, and does what is next in the meantime
GRACE_SECONDS = 2  # a worker that is told to end lets a painting go on for so long, then gives it back
MAX_STORAGE_TRIES = 5  # a storage that fails is tried again after 5, 10, 15 and 20 seconds
PREVIEWS_FROM = 60  # so many paintings wait when each new photo gets quick previews first
PREVIEW_EDGE = 512
CANVAS_DIR = environment.folder("CANVAS_DIR", DATA_DIR / "canvases")
CANVAS_MEGABYTES = environment.whole("CANVAS_MEGABYTES", 1000, low=0, high=100_000)
KERNEL_CACHE = environment.folder("KERNEL_CACHE", DATA_DIR / "kernels", writable=False)
os.environ.setdefault("NUMBA_CACHE_DIR", str(KERNEL_CACHE))

# What is kept, and what it saves

SHARED_CACHE = environment.flag("SHARED_CACHE", default=True)  # no: nobody is given what was painted for another
CACHE_HOURS = environment.whole("CACHE_HOURS", 1, low=0, high=8760)  # of paintings that no history holds
KEEP_DAYS = environment.whole("KEEP_DAYS", 0, low=0, high=36500)  # of paintings that nobody looks at; 0: for good
CACHE_MEGABYTES = environment.whole("CACHE_MEGABYTES", 0, low=0, high=1_000_000_000)  # of all paintings; 0: no limit
PRICE_CPU_HOUR = environment.amount("PRICE_CPU_HOUR", 0.04, high=1_000_000)
PRICE_GB = environment.amount("PRICE_GB", 0.02, high=1_000_000)  # kept for a month
CURRENCY = environment.text("CURRENCY", "USD")

# What one person may do; 0 is without limit, and the admin may allow people and groups more or less

PAINTINGS_AN_HOUR = environment.whole("PAINTINGS_AN_HOUR", 2000, low=0, high=1_000_000)
UPLOADS_AN_HOUR = environment.whole("UPLOADS_AN_HOUR", 500, low=0, high=100_000)
PHOTOS_AT_ONCE = environment.whole("PHOTOS_AT_ONCE", 500, low=0, high=100_000)
MEGABYTES_A_PERSON = environment.whole("MEGABYTES_A_PERSON", 20_000, low=0, high=1_000_000_000)
STAFF_UNLIMITED = environment.flag("STAFF_UNLIMITED", default=True)

# The queue

QUEUE = "paintings"
# Nobody waits long for a queue that is away (workers wait longer, RQ sees to that). In the address, since django-rq
# passes no other options to a queue that has one.
QUEUE_URL = f"{REDIS_URL}{'&' if '?' in REDIS_URL else '?'}socket_connect_timeout=1&socket_timeout=1"
RQ_QUEUES = {QUEUE: {"URL": QUEUE_URL, "SERIALIZER": "rq.serializers.JSONSerializer", "DEFAULT_RESULT_TTL": 0}}
RQ = {"JOB_CLASS": "rendering.queue.PaintingJob"}

# Metrics

METRICS = environment.choice("METRICS", "off", ("off", "token", "open"))  # open: to this machine and its own network
METRICS_TOKEN = environment.text("METRICS_TOKEN")
if METRICS == "token" and len(METRICS_TOKEN) < 16:
    message = "METRICS=token needs METRICS_TOKEN, of at least 16 characters."
    raise ImproperlyConfigured(message)

# Logs

LOG_FORMAT = environment.choice("LOG_FORMAT", "text", ("text", "json"))
LOGGING: dict[str, Any] = {
    "version": 1,
    "disable_existing_loggers": False,
    "formatters": {
        "line": {"()": "artworkshop.logs.JsonLine" if LOG_FORMAT == "json" else "artworkshop.logs.TextLine"}
    },
    "handlers": {"stderr": {"class": "logging.StreamHandler", "formatter": "line"}},
    # A refused upload is an answer, not an error of the site.
    "loggers": {
        **{f"django.security.{refusal}": {"level": "CRITICAL"} for refusal in ("RequestDataTooBig", "NoRoom")},
        # These bring handlers of their own, whose lines would have no ids and keep secrets.
        **{name: {"handlers": [], "propagate": True} for name in ("django", "uvicorn", "uvicorn.error")},
        "uvicorn.access": {"handlers": [], "propagate": False},  # addresses hold keys
    },
    "root": {"handlers": ["stderr"], "level": environment.choice("LOG_LEVEL", "INFO", ("DEBUG", "INFO", "WARNING"))},
}
