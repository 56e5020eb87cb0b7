"""Post-hoc attributions by Captum beside a net's own explanation: methods, their quality, and how far they agree.

The only room that imports captum. Everything here speaks about one number a class, the *evidence* (`evidence.py`).
"""

from ked.attribution.evidence import Evidence
from ked.attribution.methods import ATTRIBUTIONS, Attribution, attribute, refusal
from ked.attribution.question import Question, Reference, squares

__all__ = ["ATTRIBUTIONS", "Attribution", "Evidence", "Question", "Reference", "attribute", "refusal", "squares"]
