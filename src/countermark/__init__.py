"""Countermark: a self-hosted hub for media files, and links that hold."""
