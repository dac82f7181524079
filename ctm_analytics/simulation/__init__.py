"""A small business that behaves like one, with known truth, played through the real receiver."""
