"""Adaptive designs: boundaries, interim decisions, re-estimated sizes, dropped arms, safety rules."""
