"""``python -m tracertwin``."""

from tracertwin.cli.main import main

main()
