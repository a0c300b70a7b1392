# License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl.html).
"""What nginx does before a prefork Odoo, as little as a bench needs of it.

    python -m tests.bench.proxy LISTEN HTTP GEVENT

Looks at the first line of each connection: ``/websocket`` goes to the GEVENT port,
the rest to HTTP; bytes are passed on as they are. Odoo closes a connection after its
answer, so one connection is one request.
"""

import asyncio
import contextlib
import sys

HOST = "127.0.0.1"


async def _pipe(reader, writer):
    with contextlib.suppress(OSError):
        while data := await reader.read(65536):
            writer.write(data)
            await writer.drain()
    with contextlib.suppress(OSError):
        writer.close()


async def serve(listen, http, gevent):
    async def connected(reader, writer):
        line = await reader.readline()
        port = gevent if line.split(b"?")[0].endswith(b" /websocket") else http
        try:
            up_reader, up_writer = await asyncio.open_connection(HOST, port)
        except OSError:
            writer.close()
            return
        up_writer.write(line)
        await asyncio.gather(_pipe(reader, up_writer), _pipe(up_reader, writer))

    async with await asyncio.start_server(connected, HOST, listen) as server:
        await server.serve_forever()


if __name__ == "__main__":
    asyncio.run(serve(*map(int, sys.argv[1:])))
