"""Traced equations as machine code: a small compiler from JAX's intermediate language to vector instructions."""
