"""The cache of one process, for figures that are cheaper to make again than to share.

``django.core.cache.cache`` is the one that all processes share: limits count in it.
"""

from django.core.cache import caches
from django.utils.connection import ConnectionProxy

process_cache = ConnectionProxy(caches, "process")
