"""Understanding media: probing and thumbnails, in processes that may crash."""
