"""Let `python -m motorpool` do what the command `motorpool` does."""

import sys

from motorpool.cli.main import run

if __name__ == "__main__":
    sys.exit(run())
