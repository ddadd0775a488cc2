"""Records out: exactly those that a filter finds, in its order, as CSV, NDJSON, Parquet
or XLSX.

``explore.export.walk`` finds out what there is and walks through it; one module for each format
makes bytes of that; ``explore.export.files`` is what pages, API and command call. Answers of pages
and API stream in ``slots``; what takes long is made by a worker (``jobs``).
"""
