"""`python -m creditbank` is `creditbank`."""

from creditbank.cli import main

if __name__ == "__main__":
    main()
