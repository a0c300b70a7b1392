# License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl.html).
"""Who and what the demo tenant has: employees, departments, numbers."""

from dataclasses import dataclass

HOST = "demo.pbx.moldcell.md"
TOKEN = "demo-moldcell-secret"
KEY = "demo"
DID = "37322200100"


@dataclass(frozen=True)
class User:
    """An employee of the tenant. ``name`` is the PBX login."""

    name: str
    real_name: str
    ext: str
    telnum: str

    def account(self):
        """Row of the ``accounts`` command."""
        return {
            "name": self.name,
            "realName": self.real_name,
            "ext": self.ext,
            "telnum": self.telnum,
            "email": f"{self.name}@example.com",
        }


@dataclass(frozen=True)
class Group:
    """A department: its members ring all at once."""

    key: str
    id: str
    real_name: str
    ext: str
    members: tuple


USERS = {
    user.name: user
    for user in (
        User("ana", "Ana Rusu", "701", "37322200101"),
        User("ion", "Ion Ceban", "702", "37322200102"),
        User("maria", "Maria Lungu", "703", "37322200103"),
        User("vasile", "Vasile Munteanu", "704", "37322200104"),
        User("elena", "Elena Popa", "705", "37322200105"),
    )
}
GROUPS = {
    group.key: group
    for group in (
        Group(
            "callcentre",
            "g_1b2c7d0a-5e44-4b0f-9a51-0c6f2d7e9a10",
            "Call centru",
            "800",
            ("ana", "ion", "maria"),
        ),
    )
}
DEFAULT_USER = "ana"
FALLBACK_GROUP = "callcentre"


def find_user(text):
    """Return the login for a login, ``login@tenant``, extension or direct number.

    None when nobody has it.
    """
    text = str(text or "").strip().lower().removeprefix("+").split("@", 1)[0]
    for user in USERS.values():
        if text in (user.name, user.ext, user.telnum):
            return user.name
    return None


def find_group(text):
    """Return the key for ``group:<key>``, a key, an id, ``id@tenant`` or extension."""
    text = str(text or "").strip().removeprefix("group:").split("@", 1)[0]
    for group in GROUPS.values():
        if text in (group.key, group.id, group.ext):
            return group.key
    return None
