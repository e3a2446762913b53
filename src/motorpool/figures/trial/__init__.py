"""Figures of trials: power by effect and size, accrual, what is known of the effect, sensitivity."""
