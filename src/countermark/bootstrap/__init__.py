"""The only place that builds concrete parts from settings.

One module for each kind of process, so that none loads what only another needs. Nothing is kept
at module level: each process builds its own.
"""
