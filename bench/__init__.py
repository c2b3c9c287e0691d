"""Countermark beside its peers: one run, the same machine, ratios."""
