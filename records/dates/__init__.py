"""Dates as files write them: formats, the names of months, time zones. Pure: no Django."""
