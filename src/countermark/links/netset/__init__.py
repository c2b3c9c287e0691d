"""Address lists: read, compiled, matched."""
