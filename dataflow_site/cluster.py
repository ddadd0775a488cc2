"""One django-q2 cluster: ``python -m dataflow_site.cluster QUEUE``. The supervisor starts it."""

import atexit
import gc
import os
import sys

from django.core.management import execute_from_command_line

from dataflow_site import lifeline


def main(queue: str) -> None:
    # django-q2 reads the name of its queue from here, once, when it is imported.
    os.environ["Q_CLUSTER_NAME"] = queue
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "dataflow_site.settings")
    lifeline.hold()
    atexit.register(gc.freeze)  # see manage.py
    execute_from_command_line(["manage.py", "qcluster", "--skip-checks"])


if __name__ == "__main__":
    main(sys.argv[1])
