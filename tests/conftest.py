"""Fixtures that tests of several kinds share."""

pytest_plugins = ["support.databases"]
