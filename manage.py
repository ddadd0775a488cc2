#!/usr/bin/env python
"""Django's command line for DataFlow Analytics."""

import atexit
import gc
import os
import sys


def main() -> None:
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "dataflow_site.settings")
    from django.core.exceptions import ImproperlyConfigured
    from django.core.management import execute_from_command_line

    # At its end a process gives back all memory at once. Looking for garbage in it first takes as
    # long as some commands.
    atexit.register(gc.freeze)
    try:
        execute_from_command_line(sys.argv)
    except ImproperlyConfigured as error:
        sys.exit(str(error))


if __name__ == "__main__":
    main()
