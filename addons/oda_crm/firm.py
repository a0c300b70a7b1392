# License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl.html).
"""How a beneficiary is counted in reports: size of the firm, age of the person."""

MILLION = 1_000_000
# Law 179/2016: fewer employees than, and turnover or assets at most (lei).
SIZES = (
    ("micro", 10, 18 * MILLION),
    ("small", 50, 50 * MILLION),
    ("medium", 250, 100 * MILLION),
)
LARGE = "large"
YOUTH_UNTIL = 35  # years, as the programmes count
SENIOR_FROM = 60
BIRTH_MIN = 1900


def size_class(staff, turnover=0, assets=0):
    """Return micro, small, medium, large, or None when nothing is known.

    :param staff: employees; 0 counts only beside an amount
    :param turnover: of the last year, in lei; 0 = not known
    :param assets: in lei; 0 = not known

    One of the two amounts within the limit is enough, as in the law.
    """
    amounts = [amount for amount in (turnover, assets) if amount]
    if not staff and not amounts:
        return None
    least = min(amounts, default=0)
    for name, staff_below, most in SIZES:
        if (staff or 0) < staff_below and least <= most:
            return name
    return LARGE


def age_group(birth_year, year):
    """Return ``minor``, ``youth`` (18-35), ``adult`` (36-59), ``senior`` or None.

    By years, not days: who turns 35 this year is young until its end.
    """
    if not birth_year:
        return None
    age = year - birth_year
    if age < 18:
        return "minor"
    if age <= YOUTH_UNTIL:
        return "youth"
    return "adult" if age < SENIOR_FROM else "senior"


def wrong_year(year, now):
    """True for a year (int, 0 = not filled in) that nobody can be born or found in."""
    return bool(year) and not BIRTH_MIN <= year <= now
