"""The data plane: serves signed links and receives uploads."""
