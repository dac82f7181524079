"""What is worked out from a data folder and kept in it: ``derived/``, which may be deleted at any time."""
