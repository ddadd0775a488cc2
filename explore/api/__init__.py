"""The REST API for records and statistics."""
