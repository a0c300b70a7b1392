# License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl.html).
from odoo import api, models
from odoo.tools.translate import TranslationImporter, get_po_paths


class IrModuleModule(models.Model):
    _inherit = "ir.module.module"

    @api.model
    def _oda_load_names(self, addon, xmlids):
        """Let an addon's po files name records of other addons, in every language.

        Odoo keeps a translation that is already there, so the one of the addon that
        made the record would stay. `make i18n` puts these records in the template.

        :param str addon: whose `i18n` folder is read
        :param list xmlids: complete external ids of the records, e.g.
            `crm.crm_menu_root`; only their `name` goes to the template
        """
        importer = TranslationImporter(self.env.cr, verbose=False)
        for lang, _label in self.env["res.lang"].get_installed():
            for path in get_po_paths(addon, lang):
                importer.load_file(path, lang, xmlids=set(xmlids))
        importer.save(force_overwrite=True)

    @api.model
    def _load_module_terms(self, modules, langs, overwrite=False):
        """Fields that show the beneficiary on a consultation are named like theirs.

        They are made before their names are translated, and know nothing of a language
        that comes later.
        """
        done = super()._load_module_terms(modules, langs, overwrite=overwrite)
        if "oda_crm" in modules and "oda.card.field" in self.env:
            # sudo: labels only, for whoever loads the language
            self.env["ir.model.fields"].sudo()._oda_bridges()._oda_bridge_rename()
        return done
