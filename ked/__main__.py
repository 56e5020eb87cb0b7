"""`python -m ked`: the command line, which is in `ked.cli`."""

from ked.cli import main

if __name__ == "__main__":  # the processes of a study import this file too
    main()
