"""The credibility report: what the model may be used for, and on what that rests.

It follows ASME V&V 40-2018, FDA's guidance of 2023 on computational modelling in submissions, and ICH M15, and is made
from what ships with the package: posterior, validation result, sensitivities, studies and their sets.
"""
