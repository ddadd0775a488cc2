"""Finds the date format of a column, and reads its dates. Pure: no Django, no tables."""
