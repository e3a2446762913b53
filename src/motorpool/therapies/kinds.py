"""The kinds of dose the compiled program knows; a course of a plan feeds one or more of them."""

from __future__ import annotations

KINDS = (
    "nusinersen",
    "risdiplam",
    "onasemnogene_intravenous",
    "onasemnogene_intrathecal",
    "myostatin_inhibition",
    "transmission_support",
    "cells_intrathecal",
    "cells_intravenous",
    "rehabilitation",
    "ventilation",
    "cough_assist",
    "dietitian",
    "tube_feeding",
    "brace",
    "spine_surgery",
)
KIND_INDEX = {kind: index for index, kind in enumerate(KINDS)}

# Five separate mechanisms of cell therapy, in the order of every array that holds one number per mechanism.
CELL_MECHANISMS = ("neuroprotection", "transmission", "inflammation", "muscle", "recovery")
