"""All settings. An installation changes them by environment variables."""

import logging
import os
from pathlib import Path
from typing import Any
from zoneinfo import available_timezones

from csp.constants import NONE, SELF

from dataflow_site import __version__
from dataflow_site.environment import (
    database_url,
    flag,
    folders,
    listed,
    mail_server,
    networks,
    number,
    one_of,
    origins,
    pairs,
    secret,
    together,
)
from dataflow_site.production import require_production_settings
from dataflow_site.secret_key import embedded_secret_key

VERSION = __version__
BASE_DIR = Path(__file__).resolve().parent.parent

# openpyxl reads workbooks by lxml where some package has installed it, without the protection of
# defusedxml against entities that multiply.
os.environ.update(OPENPYXL_LXML="False")

# Everything the embedded installation writes: database, uploads, secret key, built static files.
VAR_DIR = Path(os.environ.get("DATAFLOW_VAR", BASE_DIR / "var")).resolve()
# Where uploaded inputs are kept: a run can be repeated as long as its input is there.
INPUT_DIR = Path(os.environ.get("DATAFLOW_INPUTS", VAR_DIR / "inputs"))
# Export files that workers have made, until they expire.
EXPORT_DIR = Path(os.environ.get("DATAFLOW_EXPORTS", VAR_DIR / "exports"))
# Where the segments of the column store lie, and what DuckDB takes in each process that reads them.
COLUMN_DIR = Path(os.environ.get("DATAFLOW_COLUMNS", VAR_DIR / "columns"))
COLUMNS_MEMORY_MB = number("DATAFLOW_COLUMNS_MEMORY_MB", 256, minimum=64)
COLUMNS_THREADS = number("DATAFLOW_COLUMNS_THREADS", 2)
# Where uploads on their way in, answers that wait for their reader, and what is unpacked lie: the
# system's own folder is often small, or in memory.
TEMP_DIR: Path | None = Path(os.environ.get("DATAFLOW_TEMP") or VAR_DIR / "tmp").resolve()
# What `ingest` reads when it is given no path.
RAW_DIR = Path(os.environ.get("DATAFLOW_RAW", BASE_DIR / "data" / "raw"))
# Folders that may be sources lie in one of these.
FOLDER_ROOTS = folders("DATAFLOW_FOLDERS", str(BASE_DIR / "data" / "inbox"))

DEBUG = flag("DEBUG")
# Behind a proxy that terminates HTTPS, which is what production is; the embedded installation
# speaks plain HTTP on loopback.
HTTPS = flag("HTTPS")
if HTTPS:
    require_production_settings()
SECRET_KEY_FILE = VAR_DIR / "secret_key"
SECRET_KEY = os.environ.get("SECRET_KEY") or embedded_secret_key(SECRET_KEY_FILE)
# What signs receipts; the file is used where the variable is not set, and made if need be.
RECEIPT_KEY = os.environ.get("DATAFLOW_RECEIPT_KEY", "")
RECEIPT_KEY_FILE = VAR_DIR / "receipt_key"
ALLOWED_HOSTS = listed("ALLOWED_HOSTS", "localhost,127.0.0.1,[::1]")
CSRF_TRUSTED_ORIGINS = listed("CSRF_TRUSTED_ORIGINS")
# Whose pages may call the API; with tokens, never with the session of a reader.
CORS_ORIGINS = origins("DATAFLOW_CORS_ORIGINS")
# Whose pages may embed what share links show.
EMBED_ORIGINS = origins("DATAFLOW_EMBED_ORIGINS")
# Proxies between clients and the web server, which append addresses to X-Forwarded-For.
TRUSTED_PROXIES = number("DATAFLOW_TRUSTED_PROXIES", 0, minimum=0)

# What is asked to see if the site is alive: neither limited nor redirected.
HEALTH_PATHS = frozenset(
    {
        "/health", "/health/live", "/health/ready", "/metrics", "/api/health", "/api/v1/health",
    }
)  # fmt: skip
# Who may read /metrics: it is off without either.
METRICS_TOKEN = secret("DATAFLOW_METRICS_TOKEN")
METRICS_NETWORKS = networks("DATAFLOW_METRICS_NETWORKS")

INSTALLED_APPS = [
    "dataflow_site.admin_site.Config",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "whitenoise.runserver_nostatic",
    "django.contrib.staticfiles",
    "django.contrib.humanize",
    "allauth",
    "allauth.account",
    "allauth.idp.oidc",
    "allauth.mfa",
    "allauth.socialaccount",
    "allauth.socialaccount.providers.openid_connect",
    "allauth.usersessions",
    "csp",
    "django_filters",
    "django_htmx",
    "django_q",
    "drf_spectacular",
    "drf_spectacular_sidecar",
    "rest_framework",
    "web",
    "records",
    "accounts",
    "ingestion",
    "processing",
    "explore",
    "operations",
    "dataflow_site",
]

MIDDLEWARE = [
    "django.middleware.security.SecurityMiddleware",
    # Before what answers with static files: they carry the policy as well.
    "csp.middleware.CSPMiddleware",
    "web.api.cors.CrossOrigin",
    "dataflow_site.no_store.NoStore",
    "dataflow_site.front.middleware.AnswerRefusals",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "accounts.audit.middleware.Audited",
    "web.throttling.middleware.Throttle",
    # Every page needs a login and a role unless it says otherwise; the API sees to its own.
    "accounts.middleware.Rights",
    "allauth.account.middleware.AccountMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "accounts.sign_in.second_factor.NeedSecondFactor",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "django_htmx.middleware.HtmxMiddleware",
    "records.admin.middleware.RefusedByDatabase",
]

ROOT_URLCONF = "dataflow_site.urls"
WSGI_APPLICATION = "dataflow_site.wsgi.application"
# `/records` and `/api/records` are URLs as written, without a slash to be appended.
APPEND_SLASH = True

TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "DIRS": [BASE_DIR / "templates"],
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
                "accounts.context.reading",
            ],
        },
    },
]


# How long a worker may be silent before another takes its run over.
LEASE_SECONDS = number("DATAFLOW_LEASE_SECONDS", 30)


def postgresql_options() -> dict[str, Any]:
    """How long either side of a connection waits for the other, to fit the lease of a worker.

    A host that is frozen, or cut off, must not keep its locks: the server ends a transaction in
    which nothing happens, and both sides notice that the other can't be reached.
    """
    probe = max(LEASE_SECONDS // 6, 1)
    at_server = {
        "idle_in_transaction_session_timeout": 2 * LEASE_SECONDS * 1000,
        "tcp_keepalives_idle": 2 * probe,
        "tcp_keepalives_interval": probe,
        "tcp_keepalives_count": 3,
        "tcp_user_timeout": LEASE_SECONDS * 1000,
    }
    return {
        # A host that does not answer is told within seconds, by /health too.
        "connect_timeout": 10,
        "keepalives_idle": 2 * probe,
        "keepalives_interval": probe,
        "keepalives_count": 3,
        "tcp_user_timeout": LEASE_SECONDS * 1000,
        "options": " ".join(f"-c {name}={value}" for name, value in at_server.items()),
    }


def database() -> dict[str, Any]:
    """PostgreSQL (or another SQLite file) by DATABASE_URL, else the embedded SQLite database."""
    config = database_url(f"sqlite:///{VAR_DIR / 'dataflow.sqlite3'}")
    if config["ENGINE"] == "django.db.backends.postgresql":
        config["OPTIONS"] = postgresql_options() | config.get("OPTIONS", {})
    if config["ENGINE"] == "django.db.backends.sqlite3":
        # Write-ahead logging lets pages read while a worker writes. A transaction takes the write
        # lock when it begins, so that it never finds out half way that another one was faster.
        # The log goes into the database every 32 MB, not every 4: large loads are a fifth faster.
        config["OPTIONS"] = {
            "timeout": 30,
            "transaction_mode": "IMMEDIATE",
            "init_command": "PRAGMA journal_mode=WAL; PRAGMA synchronous=NORMAL; "
            "PRAGMA wal_autocheckpoint=8000;",
        }
    return config


DATABASES = {"default": database()}
CACHES = {
    # Shared by all processes, in the table of `web.models`: limits count in it.
    "default": {
        "BACKEND": "django.core.cache.backends.db.DatabaseCache",
        "LOCATION": "shared_cache",
        # What must not be thrown out to make room, however many addresses try passwords.
        "OPTIONS": {"MAX_ENTRIES": 100_000},
    },
    # Of one process: see `web.process_cache`.
    "process": {
        "BACKEND": "django.core.cache.backends.locmem.LocMemCache",
        "LOCATION": "process",
    },
}
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"

# Whether anybody who reaches the site may read, without an account.
ANONYMOUS_READING = flag("DATAFLOW_ANONYMOUS_READING")
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": f"django.contrib.auth.password_validation.{name}"}
    for name in (
        "UserAttributeSimilarityValidator",
        "MinimumLengthValidator",
        "CommonPasswordValidator",
        "NumericPasswordValidator",
    )
]
AUTH_PASSWORD_VALIDATORS.append({"NAME": "accounts.tokens.passwords.EndPersonalTokens"})
LOGIN_URL = "login"
LOGIN_REDIRECT_URL = "dashboard"
LOGOUT_REDIRECT_URL = "login"
AUTHENTICATION_BACKENDS = ["accounts.sign_in.backend.PasswordBackend"]
# Passwords of older versions get the first of these when their owners log in.
PASSWORD_HASHERS = [
    "django.contrib.auth.hashers.Argon2PasswordHasher",
    "django.contrib.auth.hashers.PBKDF2PasswordHasher",
]
ACCOUNT_ADAPTER = "accounts.sign_in.adapter.AccountAdapter"
ACCOUNT_FORMS = {
    "login": "accounts.sign_in.forms.LoginForm",
    "change_password": "accounts.sign_in.forms.ChangePasswordForm",
    "reset_password": "accounts.sign_in.forms.ResetPasswordForm",
    "reset_password_from_key": "accounts.sign_in.forms.NewPasswordForm",
}
ACCOUNT_LOGIN_METHODS = {"username"}
ACCOUNT_EMAIL_VERIFICATION = "none"
ACCOUNT_SESSION_REMEMBER = True
# By action: attempts / time / what is counted. They count in the shared cache, and hold attempts
# back; they never close an account.
ACCOUNT_RATE_LIMITS = {
    # Wrong passwords and codes: from an address, and for an account from an address.
    "login_failed": "15/10m/ip,5/5m/key",
    # Ours (see `accounts.sign_in.limits`): wrong passwords for an account from everywhere.
    "account_failed": "15/10m/key",
    # Forms that are sent at all.
    "login": "60/m/ip",
    "reset_password": "20/h/ip,5/h/key",
    "reset_password_from_key": "20/m/ip",
    "change_password": "5/5m/user",
    "reauthenticate": "10/5m/user",
}
ACCOUNT_EMAIL_SUBJECT_PREFIX = ""
# Nobody has mails sent to addresses that belong to no account.
ACCOUNT_EMAIL_UNKNOWN_ACCOUNTS = False
# Like Django's own: the one of django-allauth keeps a table of addresses.
ACCOUNT_PASSWORD_RESET_TOKEN_GENERATOR = "django.contrib.auth.tokens.PasswordResetTokenGenerator"  # noqa: S105 - a class
PASSWORD_RESET_TIMEOUT = 3600

MFA_ADAPTER = "accounts.sign_in.second_factor.SecondFactorAdapter"
MFA_FORMS = {
    "activate_totp": "accounts.sign_in.second_factor_forms.ActivateTOTPForm",
    "authenticate": "accounts.sign_in.second_factor_forms.AuthenticateForm",
    "reauthenticate": "accounts.sign_in.second_factor_forms.ReauthenticateForm",
    "add_webauthn": "accounts.sign_in.second_factor_forms.AddWebAuthnForm",
}
MFA_SUPPORTED_TYPES = ["totp", "recovery_codes", "webauthn"]
MFA_PASSKEY_LOGIN_ENABLED = True
# Clocks of phones are a little early or late: a code counts half a minute longer on either side.
MFA_TOTP_TOLERANCE = 1
# Our accounts are made by administrators, who know the addresses.
MFA_ALLOW_UNVERIFIED_EMAIL = True
ADMINS_NEED_SECOND_FACTOR = flag("DATAFLOW_ADMINS_NEED_SECOND_FACTOR")

# An OpenID Connect provider that people may log in with.
OIDC_NAME = os.environ.get("DATAFLOW_OIDC_NAME", "single sign-on")
OIDC_LINK_BY_EMAIL = flag("DATAFLOW_OIDC_LINK_BY_EMAIL")
OIDC_ROLE_CLAIM = os.environ.get("DATAFLOW_OIDC_ROLE_CLAIM", "groups")
OIDC_ROLES = pairs("DATAFLOW_OIDC_ROLES")
OIDC = together(
    DATAFLOW_OIDC_URL=os.environ.get("DATAFLOW_OIDC_URL", ""),
    DATAFLOW_OIDC_CLIENT_ID=os.environ.get("DATAFLOW_OIDC_CLIENT_ID", ""),
    DATAFLOW_OIDC_CLIENT_SECRET=os.environ.get("DATAFLOW_OIDC_CLIENT_SECRET", ""),
)
SOCIALACCOUNT_ADAPTER = "accounts.sign_in.openid_connect.OpenIDConnectAdapter"
# By a link: forms may not lead to other hosts (see the policy below). The state of a login, and
# PKCE, bind what comes back to the browser that left.
SOCIALACCOUNT_LOGIN_ON_GET = True
SOCIALACCOUNT_PROVIDERS = {
    "openid_connect": {
        "OAUTH_PKCE_ENABLED": True,
        "APPS": [
            {
                "provider_id": "sso",
                "name": OIDC_NAME,
                "client_id": client_id,
                "secret": secret,
                "settings": {"server_url": url.rstrip("/")},
            }
            for url, client_id, secret in OIDC
        ],
    }
}

# OAuth 2 for programs that use the API. Access tokens are renewed by refresh tokens.
IDP_OIDC_ADAPTER = "accounts.oauth.clients.Adapter"
IDP_OIDC_ACCESS_TOKEN_EXPIRES_IN = 3600
IDP_OIDC_REFRESH_TOKEN_EXPIRES_IN = 30 * 24 * 3600

# Without a mail server nothing is sent, and pages that would send a mail say so.
mail = mail_server()
SENDS_MAIL = mail is not None
if mail:
    EMAIL_HOST, EMAIL_PORT = mail.host, mail.port
    EMAIL_HOST_USER, EMAIL_HOST_PASSWORD = mail.user, mail.password
    EMAIL_USE_TLS, EMAIL_USE_SSL = mail.starttls, mail.tls
EMAIL_TIMEOUT = 20
DEFAULT_FROM_EMAIL = os.environ.get("EMAIL_FROM", "dataflow@localhost")

LANGUAGE_CODE = "en-us"
TIME_ZONE = one_of("TIME_ZONE", "UTC", available_timezones())
WEEK_STARTS_ON = one_of("WEEK_STARTS_ON", "monday", ("monday", "sunday"))
USE_I18N = True
USE_TZ = True

STATIC_URL = "static/"
STATIC_ROOT = VAR_DIR / "static"
# The charts' JavaScript is bundled at build time by `manage.py build_charts`.
BUILT_DIR = VAR_DIR / "built"
STATICFILES_DIRS = [BASE_DIR / "static", BUILT_DIR]
STORAGES = {
    "default": {"BACKEND": "django.core.files.storage.FileSystemStorage"},
    "staticfiles": {"BACKEND": "whitenoise.storage.CompressedManifestStaticFilesStorage"},
    "columns": {
        "BACKEND": "django.core.files.storage.FileSystemStorage",
        "OPTIONS": {"location": COLUMN_DIR},
    },
}
SILENCED_SYSTEM_CHECKS = ["staticfiles.W004"]  # BUILT_DIR is made by build_charts

# An upload is streamed to disk from its first byte; memory stays flat.
FILE_UPLOAD_HANDLERS = ["ingestion.upload_handler.UploadHandler"]
FILE_UPLOAD_PERMISSIONS = 0o600
MAX_UPLOAD_BYTES = number("DATAFLOW_MAX_UPLOAD_BYTES", 2 * 1024**3)

CONTENT_SECURITY_POLICY = {
    "DIRECTIVES": {
        "default-src": [NONE],
        "script-src": [SELF],
        "style-src": [SELF],
        "img-src": [SELF, "data:"],
        "font-src": [SELF],
        "connect-src": [SELF],
        "form-action": [SELF],
        "base-uri": [NONE],
        "frame-ancestors": [NONE],
    }
}
X_FRAME_OPTIONS = "DENY"
SESSION_COOKIE_HTTPONLY = True
SECURE_CONTENT_TYPE_NOSNIFF = True
SECURE_REFERRER_POLICY = "same-origin"
SECURE_CROSS_ORIGIN_OPENER_POLICY = "same-origin"
SESSION_COOKIE_HTTPONLY = True
SESSION_COOKIE_SAMESITE = CSRF_COOKIE_SAMESITE = "Lax"
SESSION_COOKIE_SECURE = CSRF_COOKIE_SECURE = SECURE_SSL_REDIRECT = HTTPS
if HTTPS:
    SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https")
    SECURE_HSTS_SECONDS = 31_536_000
    SECURE_HSTS_INCLUDE_SUBDOMAINS = True
    # Asked on the machine itself, without the proxy.
    SECURE_REDIRECT_EXEMPT = [f"^{path.lstrip('/')}$" for path in sorted(HEALTH_PATHS)]
    # Browsers that preload HSTS refuse HTTP to a whole domain for good. Its owner decides that.
    SILENCED_SYSTEM_CHECKS.append("security.W021")

REST_FRAMEWORK = {
    "DEFAULT_AUTHENTICATION_CLASSES": [
        # First, so that a request without credentials is answered 401 and told how.
        "accounts.tokens.authentication.TokenAuthentication",
        "rest_framework.authentication.SessionAuthentication",
    ],
    "DEFAULT_THROTTLE_CLASSES": ["web.throttling.api.PerUser"],
    "DEFAULT_PERMISSION_CLASSES": ["accounts.rights.MayRead"],
    "DEFAULT_PARSER_CLASSES": [
        "web.api.requests.JSONParser",
        "web.api.requests.FormParser",
        "rest_framework.parsers.MultiPartParser",
    ],
    "DEFAULT_SCHEMA_CLASS": "drf_spectacular.openapi.AutoSchema",
    "DEFAULT_VERSIONING_CLASS": "rest_framework.versioning.NamespaceVersioning",
    "ALLOWED_VERSIONS": ["v1"],
    "EXCEPTION_HANDLER": "web.api.base.answer_error",
}
SPECTACULAR_SETTINGS = {
    "TITLE": "DataFlow Analytics",
    "DESCRIPTION": "Sources, records, results, statistics and runs, and endpoints that start "
    "imports and processing. Errors are problem details (RFC 9457) with a stable `code`.",
    "OAS_VERSION": "3.1.0",
    "VERSION": VERSION,
    "SERVE_INCLUDE_SCHEMA": False,
    "ENUM_NAME_OVERRIDES": {
        "RecordStatus": "records.models.DataRecord.Status",
        "HealthStatus": ["healthy", "unhealthy"],
        "RunState": "records.models.RunState",
        "RunKind": "records.api.run_serializers.KIND_NAMES",
        "ProblemCode": "web.api.problems.CODES",
        "FeedKind": "records.models.Feed.Kind",
        "Flag": ["0", "1"],
    },
    "PREPROCESSING_HOOKS": ["web.api.base.documented"],
    "POSTPROCESSING_HOOKS": [
        "drf_spectacular.hooks.postprocess_schema_enums",
        "web.api.schema.complete",
    ],
    "SWAGGER_UI_DIST": "SIDECAR",
    "SWAGGER_UI_FAVICON_HREF": "SIDECAR",
    "REDOC_DIST": "SIDECAR",
}

# A task is a wake-up call: "look at run 7". What is to be done, by whom and how far it got stands
# in our tables, so a task that is lost or runs twice does no harm, and the queue's own repeating
# (retry, max_attempts) is set so far away that it never gets in the way.
QUEUES = ("ingestion", "processing")
Q_CLUSTER = {
    # Tasks are signed with this name, so it is the same in every process; which queue a cluster
    # works on is said by Q_CLUSTER_NAME, and each queue has to be listed.
    "name": "dataflow",
    "ALT_CLUSTERS": {queue: {} for queue in QUEUES},
    "orm": "default",
    "broker_class": "dataflow_site.broker.Broker",
    "workers": number("DATAFLOW_WORKERS", 1),
    "queue_limit": 2,
    "timeout": 24 * 3600,
    "retry": 25 * 3600,
    "max_attempts": 1,
    "ack_failures": True,
    "poll": 0.5,
    "save_limit": 200,
    "scheduler": False,
    "catch_up": False,
    "label": "Background tasks",
}

# Rows that are committed together: large enough for speed, small enough for a short transaction.
BATCH_ROWS = number("DATAFLOW_BATCH_ROWS", 10_000)
# While events come, workers are woken once in so many seconds for each source.
EVENTS_WAKE_SECONDS = 1.0
# A run of events that has got none for so long is ended; the next one opens another.
EVENTS_IDLE_SECONDS = number("DATAFLOW_EVENTS_IDLE_SECONDS", 300)
# What looking at the input of a preview may take.
PREVIEW_SECONDS = number("DATAFLOW_PREVIEW_SECONDS", 20)
PREVIEW_BYTES = number("DATAFLOW_PREVIEW_BYTES", 1024**3)
# How often a run may be taken up without making progress before it is given up as failed.
MAX_ATTEMPTS = 5

# Requests a second; 0 is no limit. An office may have one address for all its people.
REQUESTS_PER_ADDRESS = number("DATAFLOW_REQUESTS_PER_ADDRESS", 60, minimum=0)
REQUESTS_PER_USER = number("DATAFLOW_REQUESTS_PER_USER", 30, minimum=0)
REQUESTS_PER_TOKEN = number("DATAFLOW_REQUESTS_PER_TOKEN", 20, minimum=0)

# Exports that stream at once: of each person, and over all web processes; how long one may take.
EXPORTS_PER_USER = number("DATAFLOW_EXPORTS_PER_USER", 2)
EXPORTS_AT_ONCE = number("DATAFLOW_EXPORTS_AT_ONCE", 4)
EXPORT_SECONDS = number("DATAFLOW_EXPORT_SECONDS", 600)
# Export files of a person that may wait for a worker, and how long they are kept.
EXPORTS_WAITING = number("DATAFLOW_EXPORTS_WAITING", 3)
EXPORT_KEEP_SECONDS = number("DATAFLOW_EXPORT_KEEP_SECONDS", 24 * 3600)

# APIs as sources: the networks that they may lie in although they are not public, and how much is
# taken of them: bytes a page, pages and rows a run.
ALLOWED_NETWORKS = networks("DATAFLOW_ALLOWED_NETWORKS")
FEED_PAGE_BYTES = number("DATAFLOW_FEED_PAGE_BYTES", 32 * 1024**2)
FEED_PAGES = number("DATAFLOW_FEED_PAGES", 10_000)
FEED_ROWS = number("DATAFLOW_FEED_ROWS", 10_000_000)
# See ingestion.feeds.http_client.Timeouts. A worker that waits for an answer can't renew its
# lease: it waits no longer than that lasts.
FEED_TIMEOUTS: dict[str, Any] = {
    "connect": min(10.0, LEASE_SECONDS / 3),
    "read": min(20.0, LEASE_SECONDS * 2 / 3),
    "slice": min(2.0, LEASE_SECONDS / 3),
}

LOGGING = {
    "version": 1,
    "disable_existing_loggers": False,
    "formatters": {
        "line": {
            "class": "dataflow_site.logs.Line",
            "format": "{asctime} {levelname} {name} {message}",
            "style": "{",
        },
        "json": {"()": "dataflow_site.logs.JSONLine"},
    },
    "handlers": {
        "console": {
            "class": "logging.StreamHandler",
            "formatter": one_of("LOG_FORMAT", "line", ("line", "json")),
        }
    },
    "root": {
        "handlers": ["console"],
        "level": one_of("LOG_LEVEL", "INFO", logging.getLevelNamesMapping()),
    },
    # The queue tells of every task at INFO.
    "loggers": {
        "django-q": {"level": os.environ.get("QUEUE_LOG_LEVEL", "WARNING")},
        # It tells of every retry, with the whole URL; a run has its own words for what failed.
        "urllib3": {"level": "ERROR"},
        # It tells of every request.
        "mcp": {"level": "WARNING"},
    },
}
