"""Trials room of motorpool: designs, analyses and operating characteristics of clinical trials."""
