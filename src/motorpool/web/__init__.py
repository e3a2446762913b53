"""The web door: pages and a JSON API on this machine, over the same engine as the command line and Python."""
