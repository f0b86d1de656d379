"""The tests interrupt processes, which those that a shell starts in the background would not notice."""

import signal

# a shell without job control lets background jobs ignore SIGINT, and what they start inherits that
signal.signal(signal.SIGINT, signal.default_int_handler)
