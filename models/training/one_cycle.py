"""What every training here has in common: one cycle of the learning rate over wall time, until a given time of day."""

import datetime
import math


def until(clock):
    """Seconds of the epoch of the next time that UTC clocks show `clock` (HH:MM), or so many seconds from now (+SECONDS)."""
    now = datetime.datetime.now(datetime.timezone.utc)
    if clock.startswith('+'):
        return now.timestamp() + float(clock)
    hour, minute = map(int, clock.split(':'))
    end = now.replace(hour=hour, minute=minute, second=0)
    return (end if end > now else end + datetime.timedelta(days=1)).timestamp()


def rate(fraction, peak):
    """Learning rate after this share of the time, 0 to 1: up to `peak` within 3 %, then a cosine down to nearly nothing."""
    if fraction < 0.03:
        return peak * (0.05 + 0.95 * fraction / 0.03)
    return peak * (0.002 + 0.998 * 0.5 * (1 + math.cos(math.pi * min(1, (fraction - 0.03) / 0.97))))
