"""Durable workflows: what happens to a file after its bytes are in."""
