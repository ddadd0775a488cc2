"""Backups: everything an installation needs to be made again, in one file.

``create`` makes the file, ``restore`` restores and verifies it, ``archive`` knows its format, and
``databases`` how either kind of database is copied and replaced.
"""
