# License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl.html).
from collections import defaultdict

from odoo import api, fields, models
from odoo.exceptions import AccessError

from .. import myday
from .people import is_system

PAGE = 20  # entries of a lane shown at first
MOST = 200  # and at most, however often one asks for more
COUNT_MAX = 1000  # what is counted exactly
#: level -> views of it; the first is where that person's day begins
_VIEWS = {
    "head": ("flows", "team", "mine"),
    "lead": ("team", "mine"),
    "consultant": ("mine",),
    "supervisor": ("team", "flows"),
    "admin": ("team", "flows", "mine"),
    "auditor": ("team", "flows"),
}


class OdaMyDay(models.AbstractModel):
    """The page a working day begins with: one question, one answer.

    Lanes are filled by :meth:`_oda_my_day_sources`, views are
    :meth:`_oda_my_day_views`; addons extend both. Everything is read with the rights
    of who looks.
    """

    _name = "oda.my.day"
    _description = "My Day"

    # `api.readonly`: nothing here writes, a replica may answer
    @api.model
    @api.readonly
    def oda_my_day(self, view=None, limits=None, kinds=None):
        """Everything the page shows; public.

        :param str view: key of a view; by default the first of one's level
        :param dict limits: ``{lane: entries}`` for more than the first page
        :param dict kinds: ``{lane: kind}`` when only one kind of entries is wanted
        :return dict: ``view``, ``views`` [{key, label}], ``now`` and ``ends`` (UTC
            strings; then the day is over) and what the view says
        """
        views = self._oda_my_day_views()
        if not views:
            raise AccessError(
                self.env._("“My day” is for those who work with consultations.")
            )
        if not isinstance(view, str) or view not in views:
            view = next(iter(views))
        day = self._oda_my_day_day()
        found = views[view]["read"](
            day,
            limits if isinstance(limits, dict) else {},
            kinds if isinstance(kinds, dict) else {},
        )
        return {
            "view": view,
            "views": [{"key": key, "label": views[key]["label"]} for key in views],
            "now": fields.Datetime.to_string(day.now),
            "ends": fields.Datetime.to_string(day.end),
            **found,
        }

    @api.model
    def _oda_my_day_views(self):
        """``{key: {"label", "read"}}`` of the person's views, the first one first.

        ``read(day, limits, kinds)`` gives a dict for the browser; see `myday.Day`.
        """
        user = self.env.user
        if is_system(self.env) or not user._is_internal():
            return {}
        if not self.env["crm.lead"].has_access("read"):
            return {}
        held = set(user._oda_levels())
        keys = next((keys for level, keys in _VIEWS.items() if level in held), ())
        known = {
            "mine": {
                "label": self.env._("My tasks and risks"),
                "read": self._oda_my_day_mine,
            },
            "team": {"label": self.env._("Team"), "read": self._oda_my_day_team},
            "flows": {"label": self.env._("Flows"), "read": self._oda_my_day_flows},
        }
        return {key: known[key] for key in keys}

    @api.model
    def _oda_my_day_day(self):
        zone = self.env["mail.activity"]._oda_zone(self.env.user)
        return myday.Day.of(fields.Datetime.now(), zone)

    # === LANES ===#

    @api.model
    def _oda_my_day_sources(self):
        """Return ``{kind: {"lane", "rank", "label", "icon", "read"}}``.

        ``lane`` is one of `myday.LANES`; entries of the lowest ``rank`` come first.
        ``read(day, limit)`` gives ``(entries, total)``: at most ``limit`` (which may
        be 0) entries, and how many there are, counted up to ``COUNT_MAX``.

        An entry is a dict of ``id`` and ``at`` (naive UTC or None), and if it has
        them ``title``, ``lead_id``, ``partner_id`` (named under the reader's rights),
        ``task_id`` (can be closed here), ``model`` and ``res_id`` (what a click opens,
        by default the consultation), ``open`` (a public method of that record which
        gives the action), ``tells`` (what ``at`` is: ``due``, else since when).
        """
        return {}

    @api.model
    def _oda_my_day_mine(self, day, limits, kinds):
        """``{"lanes"}``: key, label, empty, entries, kinds, total, most, count_max.

        A kind of which ``count_max`` are counted may have more than that.
        """
        lanes = {lane: [] for lane in myday.LANES}
        counts = {lane: [] for lane in myday.LANES}
        for kind, source in self._oda_my_day_sources().items():
            lane = source["lane"]
            limit = myday.page(limits, lane, PAGE, MOST)
            if kinds.get(lane, kind) != kind:
                limit = 0
            found, total = source["read"](day, limit)
            lanes[lane] += [
                dict(one, kind=kind, rank=source["rank"], icon=source["icon"])
                for one in found
            ]
            about = {"kind": kind, "label": source["label"], "icon": source["icon"]}
            counts[lane].append((source["rank"], dict(about, total=total)))
        for lane, entries in lanes.items():
            limit = myday.page(limits, lane, PAGE, MOST)
            lanes[lane] = myday.arrange(entries, limit)
        self._oda_my_day_names([one for entries in lanes.values() for one in entries])
        words = self._oda_my_day_lane_words()
        return {
            "lanes": [
                {
                    "key": lane,
                    **words[lane],
                    "entries": [self._oda_my_day_json(one, day) for one in entries],
                    "kinds": [
                        about
                        for _rank, about in sorted(counts[lane], key=lambda one: one[0])
                        if about["total"]
                    ],
                    "total": sum(about["total"] for _rank, about in counts[lane]),
                    "most": MOST,
                    "count_max": COUNT_MAX,
                }
                for lane, entries in lanes.items()
            ]
        }

    @api.model
    def _oda_my_day_lane_words(self):
        return {
            myday.NOW: {
                "label": self.env._("Now"),
                "empty": self.env._(
                    "Nobody is waiting. Promised calls appear here when their time "
                    "comes."
                ),
            },
            myday.TODAY: {
                "label": self.env._("Today"),
                "empty": self.env._(
                    "No tasks for today. Open “My consultations” and plan what comes "
                    "next."
                ),
            },
            myday.RISK: {
                "label": self.env._("At risk"),
                "empty": self.env._(
                    "Nothing is forgotten: every consultation has its next step."
                ),
            },
        }

    @api.model
    def _oda_my_day_names(self, entries):
        """Name consultations and beneficiaries; what one may not see stays nameless."""
        leads = self._oda_my_day_named(
            "crm.lead",
            {one["lead_id"] for one in entries if one.get("lead_id")},
            ["name", "partner_id", "contact_name"],
        )
        for one in entries:
            lead = leads.get(one.get("lead_id"))
            one["lead"] = lead.name if lead else ""
            if lead and not one.get("partner_id"):
                one["partner_id"] = lead.partner_id.id
                one["who"] = lead.contact_name or ""
            if one.get("lead_id") and not one.get("model") and lead:
                one["model"], one["res_id"] = "crm.lead", lead.id
        partners = self._oda_my_day_named(
            "res.partner",
            {one["partner_id"] for one in entries if one.get("partner_id")},
            ["complete_name"],
        )
        others = self._oda_my_day_readable(entries)
        for one in entries:
            partner = partners.get(one.get("partner_id"))
            if partner:
                one["who"] = partner.complete_name or ""
            known = {"crm.lead": leads, "res.partner": partners}
            readable = known.get(one.get("model"), others.get(one.get("model"), ()))
            if one.get("res_id") not in readable:
                one["model"] = one["res_id"] = False

    @api.model
    def _oda_my_day_readable(self, entries):
        """``{model: ids}`` of what else a click may open, as many queries as models."""
        ids = defaultdict(set)
        for one in entries:
            if one.get("model") in self.env and one.get("res_id"):
                ids[one["model"]].add(one["res_id"])
        return {
            model: set(
                self.env[model].browse(found).exists()._filtered_access("read").ids
            )
            for model, found in ids.items()
            if model not in ("crm.lead", "res.partner")
        }

    @api.model
    def _oda_my_day_named(self, model, ids, names):
        """``{id: record}`` of those the person may see; one query."""
        if not ids:
            return {}
        records = self.env[model].with_context(active_test=False)
        found = records.search_fetch([("id", "in", list(ids))], names)
        return {one.id: one for one in found}

    @api.model
    def _oda_my_day_json(self, one, day):
        at = one.get("at")
        due = one.get("tells") == "due"
        return {
            "key": f"{one['kind']}-{one['id']}",
            "kind": one["kind"],
            "icon": one.get("type_icon") or one["icon"],
            "at": fields.Datetime.to_string(at) if at else False,
            "urgency": myday.urgency(at, day.now) if due else "calm",
            "words": self._oda_my_day_words(at, day, due) if at else "",
            "title": one.get("title") or one["lead"] or one.get("who") or "",
            "lead": one["lead"],
            "lead_id": one.get("lead_id") if one["lead"] else False,
            "who": one.get("who") or "",
            "task_id": one.get("task_id") or False,
            "model": one.get("model") or False,
            "res_id": one.get("res_id") or False,
            "open": one.get("open") or False,
        }

    @api.model
    def _oda_my_day_words(self, at, day, due):
        """How long until, or since, a moment; ``due`` says what that means."""
        unit, count = myday.between(at, day.now, day.zone)
        if due and at > day.now:
            if unit == "minutes":
                return self.env._("in %s min", count)
            return ""  # its time says enough
        if due:
            return {
                "now": self.env._("now"),
                "minutes": self.env._("late: %s min", count),
                "hours": self.env._("late: %s h", count),
                "days": self.env._("late: %s d", count),
            }[unit]
        return {
            "now": self.env._("just now"),
            "minutes": self.env._("for %s min", count),
            "hours": self.env._("for %s h", count),
            "days": self.env._("for %s d", count),
        }[unit]
