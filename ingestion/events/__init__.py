"""Events: rows that requests send one by one or in bulk, as long as they come.

They are rows of a run that stays open (``runs``), land in groups (``landing``), and the requests
that wait at the same time in a process land together (``queue``).
"""
