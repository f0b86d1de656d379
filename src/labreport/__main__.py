"""`python -m labreport`: the same program as the command `labreport`."""

from labreport.cli import main

if __name__ == "__main__":
    main()
