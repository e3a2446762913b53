"""Check every evidence file: ``python -m motorpool.evidence.check``."""

from motorpool.evidence.ledger import load_ledger
from motorpool.evidence.published import list_published, load_published
from motorpool.evidence.sources import load_sources

bad = 0
for what in (load_sources, load_ledger):
    try:
        x = what()
        print(what.__name__, len(x))
    except Exception as e:
        bad += 1
        print(what.__name__, e)
for s in list_published():
    try:
        load_published(s)
    except Exception as e:
        bad += 1
        print(s, str(e)[:2000])
print("OK" if not bad else f"{bad} problems")
