"""Numbers in, numbers out: intervals and survival curves, each specified by its docstring."""
