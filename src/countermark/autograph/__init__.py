"""AutoGraph: the invisible mark of a recipient, and finding it again.

Arrays and bytes in and out.
"""
