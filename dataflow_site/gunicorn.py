"""How gunicorn serves the site: ``gunicorn --config python:dataflow_site.gunicorn``."""

import atexit
import gc
import os
from pathlib import Path
from typing import Any

from dataflow_site import lifeline
from dataflow_site.environment import number

wsgi_app = "dataflow_site.wsgi"
bind = f"{os.environ.get('HOST', '127.0.0.1')}:{os.environ.get('PORT', '8000')}"
# Two processes, so that one can die; threads, because a page mostly waits for the database. They
# are given complete requests only, and clients that are slow are dropped: see `front`.
worker_class = "dataflow_site.front.worker.WebWorker"
workers = number("WEB_WORKERS", 2)
threads = 4
# The application is loaded once, before the workers are forked: a faster start, shared memory.
preload_app = True
graceful_timeout = number("WEB_STOP_SECONDS", 5)
timeout = 60
loglevel = os.environ.get("WEB_LOG_LEVEL", "info")
accesslog = "-" if os.environ.get("WEB_ACCESS_LOG") == "1" else None
# Nothing talks to a running gunicorn by a socket of its own.
control_socket_disable = True
# Workers show that they live by a file: in memory, where a slow disk can't make them look dead.
worker_tmp_dir = "/dev/shm" if Path("/dev/shm").is_dir() else None  # noqa: S108
# See manage.py.
atexit.register(gc.freeze)


def on_starting(server: Any) -> None:
    lifeline.hold()


def pre_fork(server: Any, worker: Any) -> None:
    # Garbage is not looked for in what the workers share: that would copy it into each of them.
    gc.freeze()
