"""Queries. Each takes a connection of `Database.read` or `Database.write`."""
