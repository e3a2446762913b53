"""The pages of a trial: the appendix of a protocol, and one page for a funder."""
