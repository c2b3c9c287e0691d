"""Where bytes live: one port, local disk and S3 behind it."""
