"""The settings of the tests: those of the site, in a folder that is gone afterwards.

The database is SQLite, or the PostgreSQL that DATABASE_URL names. Processes that share the tests
have a folder and a database each.
"""

import atexit
import os
import shutil
import tempfile

_folder = tempfile.mkdtemp(prefix="dataflow-tests-")
atexit.register(shutil.rmtree, _folder, ignore_errors=True)
os.environ["DATAFLOW_VAR"] = _folder
os.environ["DATAFLOW_RAW"] = os.path.join(_folder, "raw")  # noqa: PTH118
# Playwright keeps an event loop in the thread of the test, which Django takes for async code.
os.environ["DJANGO_ALLOW_ASYNC_UNSAFE"] = "true"

from dataflow_site.settings import *  # noqa: E402, F403
from dataflow_site.settings import STATIC_ROOT, STORAGES  # noqa: E402

# Temporary files of the tests themselves outlive them.
TEMP_DIR = None

STATIC_ROOT.mkdir()  # whitenoise looks for it, empty or not

PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]
# Static files are served from where they are written, without being collected first.
STORAGES = STORAGES | {
    "staticfiles": {"BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"}
}

# Workers are woken by each event: a timer would go off when its test has ended.
EVENTS_WAKE_SECONDS = 0.0
# Tests ask faster than people and programs do; those of the limits set their own.
REQUESTS_PER_ADDRESS = REQUESTS_PER_USER = REQUESTS_PER_TOKEN = 0
