"""Statements of people in SQL, about the records of one moment.

``tables`` hands the records over as files, ``statement`` says what may be asked, ``running`` asks
DuckDB in a process of its own, and ``answer`` does all of it.
"""
