"""AutoGraph: the invisible mark of a recipient, and finding it again."""
