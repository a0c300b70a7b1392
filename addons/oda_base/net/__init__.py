# License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl.html).
from .address import HostPolicy, is_public, parse_url
from .audio import accept_audio, mp3_duration, sniff_audio
from .breaker import BREAKER, Breaker
from .client import Answer, SafeClient
from .download import Downloaded, Downloader
from .errors import (
    BadStatus,
    CircuitOpen,
    ConnectionFailed,
    DownloadError,
    NetError,
    NotAllowed,
    NotThere,
    Outcome,
    Refused,
    Temporary,
    TimedOut,
    TooLarge,
)
from .redact import (
    is_sensitive,
    redact_body,
    redact_data,
    redact_headers,
    redact_text,
    redact_url,
)
from .retry import delay, retry_after
