"""``python -m perennial.cli``: the command line where nothing is installed."""

import sys

from perennial.cli import main

if __name__ == "__main__":
    sys.exit(main())
