"""The web server: waitress, run by gunicorn, with limits of time and room for every client."""
