"""Figures over records, results and runs."""
