"""What the receiver writes to disk: the journal, the published events, heartbeats."""
