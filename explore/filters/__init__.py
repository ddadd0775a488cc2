"""Which records to show, and in which order: one definition for pages, API and exports."""

from explore.filters.orders import ORDERS, Order
from explore.filters.query import RecordQuery

__all__ = ["ORDERS", "Order", "RecordQuery"]
