"""Builds a store for the server: `python make_store.py --out DIR [--models FAMILY...] [--datasets ID...]`.

Run by the interpreter of the bundle's environment; imports nothing of this project but the `storebuild`
folder beside it, which is found because a script's own folder is on the module path.
"""

from __future__ import annotations

import importlib

if __name__ == "__main__":
    importlib.import_module("storebuild.main").main()
