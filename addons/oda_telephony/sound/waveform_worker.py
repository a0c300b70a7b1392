# License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl.html).
"""Run as a program of its own: decode a sound, print how loud it is where.

A decoder written in C reads what somebody else sent; should a file break it, a
process without rights or memory to speak of dies, and not the server.

    python waveform_worker.py PATH SECONDS   ->   loudness, one byte each, in hex
"""

import os
import resource
import sys

CPU = 60  # seconds: an hour of MP3 takes about two
MEMORY = 512 * 1024 * 1024  # bytes of address space
RATE = 8000  # Hz: what a telephone carries
FEWEST, MOST = 200, 1200


def confine():
    """Give up what a decoder needs not."""
    resource.setrlimit(resource.RLIMIT_CPU, (CPU, CPU))
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY, MEMORY))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    resource.setrlimit(resource.RLIMIT_FSIZE, (0, 0))
    os.nice(10)


def main(path, seconds):
    confine()
    import miniaudio

    wanted = min(MOST, max(FEWEST, int(seconds * 4)))
    step = max(RATE // 50, int(max(seconds, 1) * RATE / wanted))
    loud = bytearray()
    frames = miniaudio.stream_file(
        path, nchannels=1, sample_rate=RATE, frames_to_read=step
    )
    for chunk in frames:
        if not chunk:
            break
        loud.append(min(255, max(max(chunk), -min(chunk)) >> 7))
        if len(loud) >= 60 * MOST:  # a day of sound: enough
            break
    sys.stdout.write(bytes(loud).hex())


if __name__ == "__main__":
    main(sys.argv[1], float(sys.argv[2]))
