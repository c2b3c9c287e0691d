"""`python -m countermark` is the command `countermark`."""

from countermark.cli.main import main

main()
