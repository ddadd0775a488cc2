"""The column store: a copy of the records and their current results, by columns, for reading.

The database stays the only truth. Each answer is made of one moment: ``snapshot`` gives a DuckDB
connection whose view ``records`` holds exactly the records that the database holds.
"""
