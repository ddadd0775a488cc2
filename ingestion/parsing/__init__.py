"""From bytes to rows that can be stored. Pure: no Django, no tables."""
