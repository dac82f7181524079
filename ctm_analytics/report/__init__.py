"""Reports: the page, the periods they cover, and the runner that makes them from notebooks."""
