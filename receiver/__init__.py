"""Receive Meta's webhooks and write events as Parquet; knows nothing of analysis."""
