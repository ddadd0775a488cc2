FROM python:3.11-slim

ENV PYTHONDONTWRITEBYTECODE=1 \
    PYTHONUNBUFFERED=1 \
    PIP_NO_CACHE_DIR=1 \
    PIP_DISABLE_PIP_VERSION_CHECK=1

WORKDIR /app

# For backups: pg_dump of the version of the server, or a newer one.
# hadolint ignore=DL3008
RUN apt-get update \
    && apt-get install --yes --no-install-recommends postgresql-client \
    && rm -rf /var/lib/apt/lists/*

COPY requirements.lock .
RUN pip install --require-hashes -r requirements.lock \
    && useradd --create-home --uid 1000 dataflow \
    && mkdir -p var/inputs var/exports var/columns var/backups var/tmp data/raw \
    && chown -R dataflow:dataflow /app

COPY --chown=dataflow:dataflow . .
USER 1000

# The key is for these two commands only, which keep nothing of it.
RUN SECRET_KEY=for-the-build-only python manage.py build_charts \
    && SECRET_KEY=for-the-build-only python manage.py collectstatic --no-input --verbosity 0

ENV HOST=0.0.0.0 PORT=8000
EXPOSE 8000
CMD ["gunicorn", "--config", "python:dataflow_site.gunicorn"]
