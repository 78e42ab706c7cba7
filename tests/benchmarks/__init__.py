"""Speed, each figure as a ratio to a bare peer that runs beside it: `make bench`."""
