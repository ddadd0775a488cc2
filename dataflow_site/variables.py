"""Every environment variable that changes what the application or its tools do.

The reference in the documentation is made of this list, and a test compares it with what the code
reads: a variable that is missing here, or that nothing reads any more, fails the test.
"""

from typing import NamedTuple


class Variable(NamedTuple):
    """A name, the value where it is not set, and what it is for (Markdown)."""

    name: str
    default: str
    meaning: str


# By the heading under which the reference lists them.
VARIABLES: dict[str, tuple[Variable, ...]] = {
    "Site": (
        Variable(
            "DATABASE_URL",
            "SQLite in `var/`",
            "The database, for example `postgres://user:password@host/name`; the user must own it. "
            "With the PostgreSQL module `pg_trgm`, searches for rare text are fast.",
        ),
        Variable(
            "SECRET_KEY",
            "created once, in `var/`",
            "Signs sessions and queued tasks, and encrypts the secrets of automatic imports. "
            "Keep it: a new key logs everybody out and makes stored secrets unreadable, those of "
            "authenticator apps among them.",
        ),
        Variable(
            "DATAFLOW_RECEIPT_KEY",
            "created once, in `var/`",
            "Signs the receipts of runs: a private Ed25519 key as 64 hex digits, or as PEM with "
            "line ends written as `\\n`. Keep it, the same on all machines: receipts are verified "
            "with its public key.",
        ),
        Variable(
            "ALLOWED_HOSTS",
            "`localhost,127.0.0.1,[::1]`",
            "Host names of the site, separated by commas.",
        ),
        Variable(
            "CSRF_TRUSTED_ORIGINS",
            "none",
            "Origins that forms may be sent from, such as `https://data.example.org`, separated by "
            "commas.",
        ),
        Variable(
            "DATAFLOW_CORS_ORIGINS",
            "none",
            "Origins whose pages may call the API from the browser, with a token, such as "
            "`https://app.example.org`, separated by commas.",
        ),
        Variable(
            "DATAFLOW_EMBED_ORIGINS",
            "none",
            "Origins whose pages may embed the pages of share links in an iframe, such as "
            "`https://intranet.example.org`, separated by commas.",
        ),
        Variable(
            "HTTPS",
            "`0`",
            "`1` in production, behind a proxy that terminates HTTPS and sets `X-Forwarded-Proto`: "
            "secure cookies, HSTS, and a redirect of plain HTTP. `SECRET_KEY` (50 characters) and "
            "`ALLOWED_HOSTS` must then be set.",
        ),
        Variable(
            "DATAFLOW_TOKEN",
            "none",
            "For `manage.py mcp`: the API token whose rights an assistant on this machine has.",
        ),
        Variable(
            "DATAFLOW_TRUSTED_PROXIES",
            "`0`",
            "How many proxies of your own are in front of the web server. The addresses of clients "
            "are what these write into `X-Forwarded-For`; with `0`, the header is ignored.",
        ),
        Variable(
            "DATAFLOW_ANONYMOUS_READING",
            "`0`",
            "`1` lets anybody who reaches the site see and export all records without an account.",
        ),
        Variable("TIME_ZONE", "`UTC`", "Time zone for times without an offset."),
        Variable(
            "WEEK_STARTS_ON", "`monday`", "First day of a week in charts: `monday`, `sunday`."
        ),
        Variable("LOG_LEVEL", "`INFO`", "Log level of the application."),
        Variable(
            "LOG_FORMAT",
            "`line`",
            "`json` writes each log entry as a JSON object on a line, with fields such as the "
            "number of a run.",
        ),
        Variable("QUEUE_LOG_LEVEL", "`WARNING`", "Log level of the task queue."),
        Variable(
            "DEBUG",
            "`0`",
            "`1` shows error details in the browser. For development only.",
        ),
        Variable(
            "ADMIN_PASSWORD",
            "none",
            "Password of the user `admin` that `manage.py first_admin` creates if there is no "
            "administrator.",
        ),
    ),
    "Accounts": (
        Variable(
            "EMAIL_URL",
            "none",
            "The mail server that links to reset passwords are sent by, such as "
            "`smtp+tls://user:password@mail.example.org:587` (STARTTLS), `smtps://…` (TLS), or "
            "`smtp://…` (neither). Characters such as `@` in the password are written as `%40`.",
        ),
        Variable(
            "DATAFLOW_ADMINS_NEED_SECOND_FACTOR",
            "`0`",
            "`1` makes administrators set up a second factor before they see anything else.",
        ),
        Variable(
            "DATAFLOW_OIDC_URL",
            "none",
            "The OpenID Connect provider that people may log in with, such as "
            "`https://login.example.org/realms/company`.",
        ),
        Variable("DATAFLOW_OIDC_CLIENT_ID", "none", "The id of this installation there."),
        Variable("DATAFLOW_OIDC_CLIENT_SECRET", "none", "Its secret there."),
        Variable("DATAFLOW_OIDC_NAME", "`single sign-on`", "What the login page calls it."),
        Variable(
            "DATAFLOW_OIDC_LINK_BY_EMAIL",
            "`0`",
            "`1` lets people into the account that has their email address, if the provider says "
            "that the address is verified.",
        ),
        Variable(
            "DATAFLOW_OIDC_ROLE_CLAIM",
            "`groups`",
            "The claim that roles are made of, at each login.",
        ),
        Variable(
            "DATAFLOW_OIDC_ROLES",
            "none",
            "Values of the claim and the roles that they give, such as "
            "`analysts=Viewer,data-team=Editor`. Without, administrators give roles.",
        ),
        Variable("EMAIL_FROM", "`dataflow@localhost`", "The sender of these mails."),
    ),
    "Web server and workers": (
        Variable("HOST", "`127.0.0.1`", "Address that the web server listens on."),
        Variable("PORT", "`8000`", "Port of the web server."),
        Variable("WEB_WORKERS", "`2`", "Processes of the web server."),
        Variable(
            "WEB_STOP_SECONDS",
            "`5`",
            "How many seconds the web server may take to finish its answers when it stops: raise "
            "it where long exports should outlive a restart. `manage.py start` allows at most 10.",
        ),
        Variable("WEB_ACCESS_LOG", "`0`", "`1` logs each request."),
        Variable("WEB_LOG_LEVEL", "`info`", "Log level of the web server."),
        Variable(
            "DATAFLOW_REQUESTS_PER_ADDRESS",
            "`60`",
            "Requests that a client address (of IPv6, a /64 network) may send a second. After a "
            "pause it may send what makes up 5 seconds at once. Beyond that it gets 429 with "
            "`Retry-After`. `0`: no limit. Behind a proxy, set `DATAFLOW_TRUSTED_PROXIES`: "
            "otherwise all clients share the address of the proxy.",
        ),
        Variable(
            "DATAFLOW_REQUESTS_PER_USER",
            "`30`",
            "The same for a user, with all their sessions and tokens.",
        ),
        Variable("DATAFLOW_REQUESTS_PER_TOKEN", "`20`", "The same for an API token."),
        Variable("DATAFLOW_WORKERS", "`1`", "Worker processes per queue."),
        Variable(
            "DATAFLOW_WORKER_SILENCE_SECONDS",
            "`60`",
            "How long workers may be silent before they are restarted. Doubled after each restart "
            "that does not help.",
        ),
        Variable(
            "DATAFLOW_EVENTS_IDLE_SECONDS",
            "`300`",
            "Seconds after the last event until a run of events ends.",
        ),
        Variable("DATAFLOW_BATCH_ROWS", "`10000`", "Rows that are committed together."),
        Variable(
            "DATAFLOW_LEASE_SECONDS",
            "`30`",
            "How long a silent worker keeps its job. PostgreSQL ends idle transactions after twice "
            "as long.",
        ),
    ),
    "Metrics": (
        Variable(
            "DATAFLOW_METRICS_TOKEN",
            "none",
            "The token that Prometheus sends as `Authorization: Bearer …` to read `/metrics`, of "
            "at least 16 characters. Without it and `DATAFLOW_METRICS_NETWORKS`, `/metrics` is "
            "off.",
        ),
        Variable(
            "DATAFLOW_METRICS_NETWORKS",
            "none",
            "Networks from which `/metrics` may be read, such as `10.1.0.0/16`, separated by "
            "commas. Where a token is set as well, both are needed.",
        ),
    ),
    "Folders": (
        Variable("DATAFLOW_VAR", "`var`", "Everything that the embedded installation writes."),
        Variable("DATAFLOW_INPUTS", "`var/inputs`", "Uploaded files, kept for replay."),
        Variable(
            "DATAFLOW_EXPORTS",
            "`var/exports`",
            "Export files created by workers. The web server and workers share this folder.",
        ),
        Variable(
            "DATAFLOW_COLUMNS",
            "`var/columns`",
            "The column store: a copy of the records as Parquet files, which can be made again. "
            "The web server and workers share this folder.",
        ),
        Variable(
            "DATAFLOW_TEMP",
            "`var/tmp`",
            "Temporary files: incoming uploads, buffered responses, unpacked archives. Needs room "
            "for three times the largest upload.",
        ),
        Variable("DATAFLOW_RAW", "`data/raw`", "What `manage.py ingest` imports without a path."),
        Variable(
            "DATAFLOW_FOLDERS",
            "`data/inbox`",
            "Folders that automatic imports may read, separated by commas.",
        ),
    ),
    "Uploads and previews": (
        Variable(
            "DATAFLOW_MAX_UPLOAD_BYTES",
            "`2147483648` (2 GiB)",
            "Size of the largest upload. Any other request may have 2.5 MB.",
        ),
        Variable("DATAFLOW_PREVIEW_SECONDS", "`20`", "Time limit of a preview."),
        Variable("DATAFLOW_PREVIEW_BYTES", "`1073741824` (1 GiB)", "Memory limit of a preview."),
    ),
    "Column store": (
        Variable(
            "DATAFLOW_COLUMNS_MEMORY_MB",
            "`256`",
            "Memory, in MB, that DuckDB may use in each process; beyond that it writes to "
            "`DATAFLOW_TEMP`.",
        ),
        Variable("DATAFLOW_COLUMNS_THREADS", "`2`", "Threads of DuckDB in each process."),
    ),
    "Exports": (
        Variable("DATAFLOW_EXPORTS_PER_USER", "`2`", "Exports that one user may stream at a time."),
        Variable("DATAFLOW_EXPORTS_AT_ONCE", "`4`", "Exports that stream at a time in total."),
        Variable("DATAFLOW_EXPORT_SECONDS", "`600`", "Time limit of a streamed export."),
        Variable(
            "DATAFLOW_EXPORTS_WAITING",
            "`3`",
            "Export files per user that may be queued or in progress.",
        ),
        Variable(
            "DATAFLOW_EXPORT_KEEP_SECONDS",
            "`86400` (a day)",
            "How long finished export files are kept.",
        ),
    ),
    "Automatic imports": (
        Variable(
            "DATAFLOW_ALLOWED_NETWORKS",
            "none",
            "Private networks that APIs may be in, such as `10.1.0.0/16`, separated by commas.",
        ),
        Variable(
            "DATAFLOW_FEED_PAGE_BYTES", "`33554432` (32 MiB)", "Size of the largest API page."
        ),
        Variable("DATAFLOW_FEED_PAGES", "`10000`", "Most API pages in one run."),
        Variable("DATAFLOW_FEED_ROWS", "`10000000`", "Most rows in one run of an API."),
        Variable(
            "DATAFLOW_SECRET_*",
            "none",
            "Secrets that API headers refer to, as in `Bearer ${DATAFLOW_SECRET_SHOP}`.",
        ),
    ),
    "make and containers": (
        Variable(
            "DATAFLOW_PYTHON",
            "the newest of python3.13, python3.12, python3.11, python3",
            "The Python that `make` creates the virtual environment with.",
        ),
        Variable(
            "COMPOSE", "`docker compose`, else `docker-compose`", "The command behind `make up`."
        ),
        Variable("MEMORY_LIMIT", "`4g`", "Most memory of each container."),
        Variable("COMPOSE_PROJECT_NAME", "`dataflow`", "Prefix of container and volume names."),
        Variable(
            "POSTGRES_PASSWORD",
            "created once, in `.env`",
            "Password of the database container. Part of a URL: letters and digits only.",
        ),
    ),
    "Tests": (
        Variable(
            "TEST_DATABASE_URL",
            "a server of its own",
            "A PostgreSQL server for the tests to create their databases on.",
        ),
        Variable("PROCESSES", "`4`", "Processes that share the tests of a database."),
        Variable("CHROMIUM", "found on the system", "Path of the browser for tests."),
        Variable(
            "DATAFLOW_REQUIRE",
            "none",
            "What must not be missing, such as `postgres,chromium`: tests fail instead of being "
            "skipped.",
        ),
        Variable("DATAFLOW_SEED", "random", "Repeats the random plan of a long test."),
        Variable("DATAFLOW_ROWS", "`1000000`", "Rows of the long test of changed rules."),
        Variable("DATAFLOW_ROUNDS", "`20`", "Rounds of the long test of slow clients."),
    ),
    "Internal": (
        Variable(
            "DJANGO_SETTINGS_MODULE", "`dataflow_site.settings`", "The settings that Django loads."
        ),
        Variable(
            "DATAFLOW_PARENT",
            "none",
            "Process id of the parent: a supervised process ends when its parent is gone.",
        ),
        Variable("Q_CLUSTER_NAME", "none", "The queue that a worker process works on."),
    ),
}

NAMES = frozenset(found.name for group in VARIABLES.values() for found in group)
