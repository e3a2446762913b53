"""General integrators to compare with, and how each is given the right-hand side."""
