"""Tables, queries and migrations: everything the hub remembers."""
