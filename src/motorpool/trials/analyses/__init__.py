"""Analyses of many replicate trials at once: arrays with a leading replicate axis in, estimates out."""
