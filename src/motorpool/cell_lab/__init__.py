"""The cell laboratory: what is known of cells, what they would add, what would have to be true, and offers."""
