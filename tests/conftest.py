"""What every test may rely on: no real model is asked, and an interrupt reaches child processes."""

from __future__ import annotations

import os
import signal

# A job that a shell starts in the background ignores interrupts, and so would every process tests start.
signal.signal(signal.SIGINT, signal.default_int_handler)
for name in ("OPENAI_API_KEY", "OPENAI_BASE_URL", "SUTURE_MODEL", "SUTURE_PRICES"):
    os.environ.pop(name, None)
