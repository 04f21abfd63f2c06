"""Runs the command line: `python -m trainsmith.cli`."""

import sys

from trainsmith.cli import main

if __name__ == "__main__":
    sys.exit(main())
