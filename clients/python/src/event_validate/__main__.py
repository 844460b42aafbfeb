"""python -m event_validate"""

from event_validate.cli import main

main()
