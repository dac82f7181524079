"""Every test of a fault may run receivers."""

from receiving import data, start

__all__ = ["data", "start"]
