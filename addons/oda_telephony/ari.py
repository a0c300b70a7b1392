# License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl.html).
"""Asterisk's REST interface (ARI), as far as Odoo itself commands the exchange."""

from base64 import b64encode
from urllib.parse import quote

from odoo.addons.oda_base.connectors import Delivery
from odoo.addons.oda_base.net import (
    BadStatus,
    Downloader,
    NetError,
    Outcome,
    Refused,
    SafeClient,
    parse_url,
)

from .drivers.asterisk import DIALLED
from .drivers.asterisk_push import STORED

EMPTY = 44  # bytes: the head of a WAV, and nothing after it
RING = 30  # seconds that the clicker's own phone rings


class Ari:
    """The exchange of one account. It stands in our own network: the address is the
    administrator's, any other host is refused."""

    def __init__(self, options):
        self._url = options["ari_url"].rstrip("/")
        self._auth = (options["ari_user"], options["ari_secret"])
        self._client = SafeClient(
            [parse_url(self._url).hostport],
            timeout=(3.0, 8.0),
            total=12.0,
            allow_http=True,
            retries=0,
            secrets=(options["ari_secret"],) if options["ari_secret"] else (),
        )

    def originate(self, uuid, endpoint, context, phone):
        """Ring `endpoint`, then send it to `phone` in `context`: a `Delivery`."""
        try:
            self._client.post(
                f"{self._url}/channels",
                params={
                    "endpoint": endpoint,
                    "context": context,
                    "extension": phone,
                    "priority": "1",
                    "callerId": phone,
                    "timeout": str(RING),
                    "channelId": uuid,
                },
                json={"variables": {DIALLED: phone}},
                auth=self._auth,
            )
        except BadStatus as error:
            if error.status == 409:  # it is there already: sent before
                return Delivery("done", reference=uuid)
            return Delivery("failed", words=_words(error))
        except NetError as error:
            # Never "later": who clicked has gone on to something else by then.
            unknown = error.outcome is Outcome.UNKNOWN
            return Delivery("unknown" if unknown else "failed", words=str(error))
        return Delivery("done", reference=uuid)

    def fate(self, uuid):
        """Say what became of a channel that perhaps was asked for."""
        try:
            self._client.get(
                f"{self._url}/channels/{quote(uuid, safe='')}", auth=self._auth
            )
        except BadStatus as error:
            if error.status == 404:
                return Delivery("failed", words="no such call on the exchange any more")
            return Delivery("unknown", words=_words(error))
        except NetError as error:
            return Delivery("unknown", words=str(error))
        return Delivery("done", reference=uuid)


class AriHosts(list):
    """The one host that recordings of an account come from, and how to ask it.

    :param dict options: `oda.connector.account._account_options` of an Asterisk
    """

    def __init__(self, options):
        self.url = options["ari_url"].rstrip("/")
        user = f"{options['ari_user']}:{options['ari_secret']}".encode()
        self.headers = {"Authorization": f"Basic {b64encode(user).decode()}"}
        super().__init__([parse_url(self.url).hostport] if self.url else [])


class AriDownloader:
    """Fetches what `oda.recording` notes as `ari:stored/<name>`; as `Downloader`.

    The name came with a push; where it is fetched from is the account's own word.
    """

    def __init__(self, hosts, **limits):
        self._hosts = hosts
        self._downloader = Downloader(hosts, inside=True, **limits)

    def fetch(self, url):
        """Return the `Downloaded` file.

        :raise Refused: 'empty' when there is a file without sound in it
        """
        if not self._hosts or not url.startswith(STORED):
            raise Refused("The channel has no address of ARI", "url")
        name = quote(url.removeprefix(STORED), safe="")
        address = f"{self._hosts.url}/recordings/stored/{name}/file"
        file = self._downloader.fetch(address, headers=self._hosts.headers)
        if file.size <= EMPTY:
            file.close()
            raise Refused("There is no sound in the file", "empty")
        return file


def _words(error):
    if error.status in (401, 403):
        return "ARI refuses the user or password"
    if error.status >= 500:
        return "the phone is not connected to the exchange"
    return str(error)
