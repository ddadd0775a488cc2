"""Questions: measures by groups of what a filter of records finds."""
