"""Which records to show, and in which order: one definition for pages, API and exports."""

from explore.filters.orders import ORDERS, Order
from explore.filters.record_filter import RecordFilter

__all__ = ["ORDERS", "Order", "RecordFilter"]
