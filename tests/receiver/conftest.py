"""Every test of the receiver may run one, or publish without one."""

from receiving import data, receiver, start
from segments import folder

__all__ = ["data", "folder", "receiver", "start"]
