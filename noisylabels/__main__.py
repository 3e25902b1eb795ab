"""`python -m noisylabels`: the command."""

from noisylabels.cli import main

if __name__ == "__main__":
    main()
