"""The REST API of rules and processing."""
