"""Figures of the credibility report: applicability, validation, what the data say about parameters, sensitivity.

All take the plain data of :func:`motorpool.report.credibility.content.credibility_content`.
"""
