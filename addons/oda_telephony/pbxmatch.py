# License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl.html).
"""Who may sit behind a login of an exchange: suggestions for the administrator."""

import re
import unicodedata


def plain(text):
    """`Ștefan  POPA-Rusu` -> `stefan popa rusu`: what people take for the same."""
    text = unicodedata.normalize("NFKD", (text or "").casefold())
    text = "".join(char for char in text if not unicodedata.combining(char))
    return " ".join(re.findall(r"[^\W_]+", text))


def keys_of(login, email, name):
    """Return the keys of one side, strongest first: `[(strength, key)]`.

    E-mail 3, the same words of a name in any order 2, the login or the part of the
    e-mail before the '@' 1.
    """
    login, email = (login or "").strip().casefold(), (email or "").strip().casefold()
    keys = []
    for address in (email, login):
        if "@" in address:
            keys.append((3, address))
    words = sorted(plain(name).split())
    if len(words) > 1:  # a first name alone is shared by too many
        keys.append((2, " ".join(words)))
    for address in (login, email):
        if head := plain(address.split("@")[0]):
            keys.append((1, head))
            # consultant.ana, ana.rusu: also in the other order
            keys.append((1, " ".join(sorted(head.split()))))
    return keys


def suggest(lines, people):
    """Return `{line id: person id}` where just one person fits one line.

    :param dict lines, people: id -> (login, e-mail, name); any of them may be empty
    """
    found = {}
    for strength in (3, 2, 1):
        free = {key: who for key, who in people.items() if key not in found.values()}
        by_key = {}
        for person, who in free.items():
            for key in {key for rank, key in keys_of(*who) if rank == strength}:
                by_key.setdefault(key, set()).add(person)
        wishes = {}
        for line, who in lines.items():
            if line in found:
                continue
            fits = set()
            for key in {key for rank, key in keys_of(*who) if rank == strength}:
                fits |= by_key.get(key, set())
            if len(fits) == 1:
                wishes.setdefault(fits.pop(), []).append(line)
        for person, wanted in wishes.items():
            if len(wanted) == 1:
                found[wanted[0]] = person
    return found
