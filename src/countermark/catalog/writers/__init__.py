"""Changes. Each takes a connection of `Database.write` and takes effect when that commits."""
