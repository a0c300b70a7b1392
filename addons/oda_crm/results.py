# License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl.html).
"""What counts as the written result of a task.

Pure Python: no ``env``. A result is judged by its words, never rewritten: what
the person typed is what is kept.
"""

import html
import re
import unicodedata

LONGEST = 10_000  # characters of one result, kept whole
EMPTY = "empty"
SHORT = "short"
REPEAT = "repeat"
LONG = "long"

_TAG = re.compile(r"</?[a-zA-Z!][^<>]*>")
_WORD = re.compile(r"\w+(?:['’\-]\w+)*")


def words(text) -> list[str]:
    """The words of a text, folded for comparing: no marks, tags or letter case.

    A word has at least one letter or digit, in any script.
    """
    text = html.unescape(_TAG.sub(" ", text or ""))
    # marks that change no letter's look (zero-width, soft hyphen) split no word
    text = "".join(c for c in text if unicodedata.category(c) != "Cf")
    folded = unicodedata.normalize("NFKC", text).casefold()
    return [
        word
        for word in _WORD.findall(folded)
        if any(letter.isalnum() for letter in word)
    ]


def judge(text, last_text="", least_words=1) -> str | None:
    """Say what is wrong with a result, or None when it is one.

    :param text: what the person wrote, plain text (HTML is looked through)
    :param last_text: the last result of that type on that consultation
    :param int least_words: words at least; below 1 it is taken for 1
    :return: :data:`EMPTY`, :data:`SHORT`, :data:`REPEAT`, :data:`LONG` or None
    """
    if len(text or "") > LONGEST:
        return LONG
    found = words(text)
    if not found:
        return EMPTY
    if len(found) < least_words:
        return SHORT
    if last_text and found == words(last_text):
        return REPEAT
    return None
