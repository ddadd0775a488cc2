"""The installation: settings, URLs, processes. Wires the apps; decides nothing."""

# The one place of the version: pyproject.toml, the API and /health take it from here.
__version__ = "0.3.0"
