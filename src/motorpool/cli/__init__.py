"""Command line of motorpool: one module per group of verbs; `main` puts them together."""
