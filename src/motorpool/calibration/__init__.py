"""Calibration room of motorpool: what the calibration studies say about the parameters."""
