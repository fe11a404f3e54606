"""``python -m lowtide``: the command line."""

from lowtide.cli import main

if __name__ == "__main__":
    main()
