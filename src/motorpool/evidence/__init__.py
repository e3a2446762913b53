"""What is known: parameters, sources, published results, facts and catalogues, as validated data."""
