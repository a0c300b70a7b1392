# License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl.html).
from odoo import api, models

from .. import import_values
from ..import_values import Place, normal
from .oda_consent import PURPOSES, SOURCES

#: before the name of a field that administrators added
OWN = "field:"
KIND_OF = {
    "char": "char",
    "text": "text",
    "integer": "integer",
    "float": "float",
    "monetary": "float",
    "date": "date",
    "boolean": "boolean",
    "selection": "choice",
    "many2one": "choice",
    "many2many": "choices",
}
_SOURCE_WORDS = {
    "in_person": ("personal", "fata in fata", "лично"),
    "paper": ("hartie", "semnat", "formular semnat", "бумага", "подпись"),
    "phone": ("telefon", "la telefon", "по телефону"),
    "website": ("site", "formular online", "сайт"),
    "email": ("e mail", "mail", "почта"),
    "message": ("mesaj", "сообщение"),
    "import": ("lista", "список"),
}


class OdaImport(models.Model):
    """What the cells of a file may name: places, activities, tags, added fields."""

    _inherit = "oda.import"

    @api.model
    def _oda_own_fields(self):
        """Return {target: field of the beneficiary} of what administrators added and
        this person may write."""
        partners = self.env["res.partner"]
        rows = (
            self.env["ir.model.fields"]
            .sudo()  # sudo: the names of fields that the person's own card shows
            .search(
                [
                    ("model", "=", partners._name),
                    ("state", "=", "manual"),
                    ("store", "=", True),
                    ("readonly", "=", False),
                    ("related", "=", False),
                    ("compute", "=", False),
                    ("ttype", "in", list(KIND_OF)),
                ]
            )
        )
        found = {}
        for row in rows:
            field = partners._fields.get(row.name)
            listed = row.ttype in ("many2one", "many2many")
            if (
                field is not None
                and partners._has_field_access(field, "write")
                and (not listed or row.relation == "oda.card.option")
            ):
                found[OWN + row.name] = field
        return found

    @api.model
    def _oda_labels_of(self, fields_):
        """Return {target: {language: label}} of fields, for headers and remarks."""
        labels = {}
        for code, _name in self.env["res.lang"].get_installed():
            env = self.with_context(lang=code).env
            for target, field in fields_.items():
                label = field._description_string(env)
                labels.setdefault(target, {})[code] = label
        return labels

    @api.model
    def _oda_own_headers(self):
        """Return {normal header: target} for the fields that administrators added."""
        fields_ = self._oda_own_fields()
        headers = {normal(field.name): target for target, field in fields_.items()}
        for target, labels in self._oda_labels_of(fields_).items():
            headers.update({normal(label): target for label in labels.values()})
        return headers

    @api.model
    def _oda_catalogue(self):
        """Return the `import_values.Catalogue` of now, some thousand names."""
        own = self._oda_own_fields()
        labels = {
            target: field._description_string(self.env) for target, field in own.items()
        }
        kinds = {target: KIND_OF[field.type] for target, field in own.items()}
        choices = {target: self._oda_options(field) for target, field in own.items()}
        choices.update(self._oda_choices())
        return import_values.Catalogue(
            choices, self._oda_places(), self._oda_activities(), kinds, labels
        )

    @api.model
    def _oda_choices(self):
        """Return {target: {normal word: value}} of our own lists."""
        partners = self.env["res.partner"]
        installed = [code for code, _name in self.env["res.lang"].get_installed()]
        languages = import_values.words_of(import_values.LANGUAGES)
        codes = {code[:2]: code for code in reversed(installed)}
        # pylint: disable-next=no-search-all  # some dozens
        tags = self.env["res.partner.category"].search([], order="id desc")
        words = import_values.words_of
        may_consent = self.env["oda.consent"].has_access("create")
        return {
            "gender": self._oda_selection(partners._fields["oda_gender"])
            | words(import_values.GENDERS),
            "legal_form": words(import_values.LEGAL_FORMS)
            | self._oda_selection(partners._fields["oda_legal_form"]),
            "lang": {
                **{word: codes[key] for word, key in languages.items() if key in codes},
                **{normal(code): code for code in installed},
            },
            "tags": {normal(tag.name): tag.id for tag in tags},
            "consent_source": words(_SOURCE_WORDS)
            | self._oda_selection(self.env["oda.consent"]._fields["source"]),
            # A yes is written by whoever may write it by hand; a no by anybody.
            "consent_yes": {"yes": True} if may_consent else {},
        }

    @api.model
    def _oda_selection(self, field):
        """Return {normal word: key}: keys, and labels in all languages."""
        words = {normal(key): key for key in field.get_values(self.env)}
        for code, _name in self.env["res.lang"].get_installed():
            env = self.with_context(lang=code).env
            for key, label in field._description_selection(env):
                words[normal(label)] = key
        return words

    @api.model
    def _oda_options(self, field):
        """Return {normal word: value} of what an added field may hold."""
        if field.type == "selection":
            return self._oda_selection(field)
        if not field.relational:
            return {}
        words = {}
        options = self.env["oda.card.option"].search([("field_name", "=", field.name)])
        for code, _name in self.env["res.lang"].get_installed():
            for option in options.with_context(lang=code):
                words.setdefault(normal(option.name), option.id)
        return words

    @api.model
    def _oda_places(self):
        """Return {normal name: [Place]} of all localities."""
        places = {}
        # pylint: disable-next=no-search-all  # a country's: some two thousand
        rows = self.env["oda.locality"].search_fetch(
            [], ["name", "kind", "parent_id"], order="id"
        )
        for one in rows:
            parent = one.parent_id
            district = normal(parent.name) if parent else ""
            place = Place(one.id, one.kind, district, parent.id or None)
            places.setdefault(normal(one.name), []).append(place)
        return places

    @api.model
    def _oda_activities(self):
        """Return {code without the dot, or normal name: id}; a class before what it
        is a part of, when both are called the same."""
        rows = self.env["oda.activity.class"].search_fetch(
            [], ["code", "name"], order="code"
        )
        rows = rows.sorted(lambda one: len(one.code))
        names = {normal(one.name): one.id for one in rows}
        codes = {one.code.replace(".", "").lower(): one.id for one in rows}
        return names | codes

    # === WHAT BECOMES OF THEM ===#

    @api.model
    def _oda_consent_vals(self, partner, verdict, known=frozenset()):
        """Return the values of the consents that a row tells of.

        A yes without its day does not outlive a no that is there already: it counts
        only for purposes on which this person has said nothing yet.

        :param known: purposes on which the person has answered before
        """
        day = verdict.clean.get("consent_at")
        vals = []
        for purpose, _label in PURPOSES:
            granted = verdict.clean.get(f"consent_{purpose}")
            if granted is None or (granted and not day and purpose in known):
                continue
            vals.append(
                {
                    "partner_id": partner.id,
                    "purpose": purpose,
                    "granted": granted,
                    "source": verdict.clean.get("consent_source") or "import",
                    "text_version": self.name,
                    "user_id": self.env.uid,
                    **({"at": f"{day} 00:00:00"} if day else {}),
                }
            )
        return vals


assert {key for key, _label in SOURCES} >= _SOURCE_WORDS.keys()
