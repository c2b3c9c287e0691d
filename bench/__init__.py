"""Countermark beside its peers: one run, the same machine, ratios."""

import os

# As in the processes of the service that do media work; before NumPy is there.
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
