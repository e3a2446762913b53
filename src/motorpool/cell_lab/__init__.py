"""The cell-therapy laboratory: what cells would add, what would have to be true, and how much we do not know."""
