"""Where a composed query runs: one file per engine, each with the same two verbs."""
