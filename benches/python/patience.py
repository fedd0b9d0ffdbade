"""How long anything here may take, so that nothing is left behind, whoever is killed."""

import signal

# Longer than any measurement takes, in seconds.
PATIENCE = 30


def end_in_time():
    """Ends this process when patience is over. Each forked process calls it for itself: alarms are not inherited."""
    signal.alarm(PATIENCE)
