"""Feeds: automatic imports from HTTP APIs and from folders.

``http_client``, ``addresses``, ``paging`` and ``pages`` are pure; ``fetch`` makes one input of an
API's pages; ``services`` keeps feeds and starts their runs.
"""
