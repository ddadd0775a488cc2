"""Makes a process believe to run on another host, whose clock is ahead.

See tests/records/test_clocks.py.

Python imports a module of this name at its start. OTHER_HOST is the name, CLOCK_AHEAD in seconds.
"""

import os
import socket
import time
from datetime import UTC, datetime, timedelta

from django.utils import timezone

_name = os.environ["OTHER_HOST"]
_ahead = float(os.environ["CLOCK_AHEAD"])
_time = time.time

time.time = lambda: _time() + _ahead
timezone.now = lambda: datetime.now(UTC) + timedelta(seconds=_ahead)
socket.gethostname = lambda: _name
