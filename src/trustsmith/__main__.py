"""`python -m trustsmith`, the same as the command `trustsmith`."""

from trustsmith.cli import main

if __name__ == "__main__":
    main()
