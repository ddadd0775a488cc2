"""The WSGI entry point: `gunicorn dataflow_site.wsgi`."""

import os
from importlib import import_module

from django.conf import settings
from django.core.wsgi import get_wsgi_application

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "dataflow_site.settings")
application = get_wsgi_application()
# With all pages, which Django would import at the first request of each process: so gunicorn's
# workers share them.
import_module(settings.ROOT_URLCONF)
