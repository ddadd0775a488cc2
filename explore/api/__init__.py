"""The REST API over records and figures."""
