"""Receipts: what a run has made of its input, signed, each chained to the one before."""
