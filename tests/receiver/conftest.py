"""Every test of the receiver may run one."""

from receiving import data, receiver, start

__all__ = ["data", "receiver", "start"]
