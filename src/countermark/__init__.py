"""Countermark: a self-hosted hub for media files, links that hold, and copies that name their recipient."""
