# License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl.html).
"""What was heard and not yet told, and the calls it is about: on disk, durably.

One SQLite file. Whatever a piece of news changes is committed with it in one
transaction: killed at any line, the listener goes on from the last whole one.
"""

import fcntl
import json
import os
import sqlite3
import threading
import time

MAX_NEWS = 500_000
KEEP = 14 * 24 * 3600  # seconds; then it is the record of long ago

_TABLES = """
CREATE TABLE IF NOT EXISTS news (
    id INTEGER PRIMARY KEY AUTOINCREMENT, key TEXT UNIQUE NOT NULL,
    subject TEXT NOT NULL, body TEXT NOT NULL, at REAL NOT NULL);
CREATE TABLE IF NOT EXISTS refused (
    id INTEGER PRIMARY KEY, body TEXT NOT NULL, words TEXT NOT NULL, at REAL NOT NULL);
CREATE TABLE IF NOT EXISTS calls (id TEXT PRIMARY KEY, body TEXT NOT NULL);
CREATE TABLE IF NOT EXISTS facts (name TEXT PRIMARY KEY, value TEXT NOT NULL);
"""


class Busy(Exception):
    """Another listener uses this spool."""


class Spool:
    """Thread-safe. One process at a time.

    :param str folder: made when it is not there, readable by its owner only
    :raise Busy:
    """

    def __init__(self, folder):
        os.makedirs(folder, mode=0o700, exist_ok=True)
        self._holder = os.open(os.path.join(folder, "lock"), os.O_RDWR | os.O_CREAT)
        try:
            fcntl.flock(self._holder, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            os.close(self._holder)
            raise Busy(folder) from None
        self._lock = threading.Lock()
        self._db = sqlite3.connect(
            os.path.join(folder, "spool.sqlite"),
            check_same_thread=False,
            isolation_level=None,
        )
        self._db.execute("PRAGMA journal_mode = WAL")
        self._db.execute("PRAGMA synchronous = FULL")
        self._db.executescript(_TABLES)
        self.arrived = threading.Event()

    def close(self):
        with self._lock:
            self._db.close()
            os.close(self._holder)

    def put(self, news=(), calls=(), gone=(), facts=None):
        """Keep all of it or nothing.

        :param news: (key, subject, fields, moment); of a `presence:` subject only the
            last word is kept
        :param calls: (id, JSON-able state) that has changed
        :param gone: ids of calls that are settled
        :param dict facts: name -> JSON-able
        """
        with self._lock, self._db:
            run = self._db.execute
            run("BEGIN")
            for key, subject, fields, at in news:
                if subject.startswith("presence:"):
                    run("DELETE FROM news WHERE subject = ?", (subject,))
                run(
                    "INSERT OR IGNORE INTO news (key, subject, body, at) "
                    "VALUES (?, ?, ?, ?)",
                    (key, subject, json.dumps(fields), at),
                )
            for callid, state in calls:
                run("REPLACE INTO calls VALUES (?, ?)", (callid, json.dumps(state)))
            for callid in gone:
                run("DELETE FROM calls WHERE id = ?", (callid,))
            for name, value in (facts or {}).items():
                run("REPLACE INTO facts VALUES (?, ?)", (name, json.dumps(value)))
        if news:
            self.arrived.set()

    def first(self, limit=100):
        """Return the oldest news: (id, key, fields, moment)."""
        rows = self._read(
            "SELECT id, key, body, at FROM news ORDER BY id LIMIT ?", limit
        )
        return [(number, key, json.loads(body), at) for number, key, body, at in rows]

    def remove(self, number):
        """Odoo has it."""
        with self._lock:
            self._db.execute("DELETE FROM news WHERE id = ?", (number,))

    def refuse(self, number, words):
        """Odoo will never take it: put it aside for the operator to see."""
        with self._lock, self._db:
            self._db.execute("BEGIN")
            self._db.execute(
                "INSERT INTO refused (body, words, at) "
                "SELECT body, ?, at FROM news WHERE id = ?",
                (words[:500], number),
            )
            self._db.execute("DELETE FROM news WHERE id = ?", (number,))

    def counts(self):
        """Return how many wait and how many were refused."""
        query = "SELECT (SELECT count(*) FROM news), (SELECT count(*) FROM refused)"
        return self._read(query)[0]

    def calls(self):
        """Return the JSON-able states of the calls that are not settled."""
        return [json.loads(body) for (body,) in self._read("SELECT body FROM calls")]

    def fact(self, name, default=None):
        rows = self._read("SELECT value FROM facts WHERE name = ?", name)
        return json.loads(rows[0][0]) if rows else default

    def tidy(self, now=None):
        """Forget what is of no use any more, so that the disk cannot fill up."""
        old = (now or time.time()) - KEEP
        with self._lock:
            self._db.execute("DELETE FROM news WHERE at < ?", (old,))
            self._db.execute("DELETE FROM refused WHERE at < ?", (old,))
            self._db.execute(
                "DELETE FROM news WHERE id <= (SELECT max(id) FROM news) - ?",
                (MAX_NEWS,),
            )

    def _read(self, query, *values):
        with self._lock:
            return self._db.execute(query, values).fetchall()
