"""The web server: waitress, run by gunicorn, with limits on time and space per client."""
