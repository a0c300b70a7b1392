# License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl.html).
"""Exports whose cells no spreadsheet runs, of what one may export."""

import json

from odoo import http
from odoo.http import request

from odoo.addons.web.controllers.export import (
    CSVExport,
    ExcelExport,
    ExportXlsxWriter,
    GroupExportXlsxWriter,
)
from odoo.addons.web.controllers.json import WebJsonController
from odoo.addons.web.controllers.pivot import TableExporter
from odoo.addons.web.controllers.vcard import Partner

from ..spreadsheet import guard


class _Guarded:
    """Text is written as text: neither a formula nor a link to somewhere."""

    def write(self, row, column, cell_value, style=None):
        if isinstance(cell_value, str):
            return self.worksheet.write_string(row, column, guard(cell_value), style)
        return super().write(row, column, cell_value, style)


class _Writer(_Guarded, ExportXlsxWriter):
    pass


class _GroupWriter(_Guarded, GroupExportXlsxWriter):
    pass


class OdaCSVExport(CSVExport):
    def from_data(self, fields, columns_headers, rows):
        guarded = [[guard(cell) for cell in row] for row in rows]
        headers = [guard(header) for header in columns_headers]
        return super().from_data(fields, headers, guarded)


class OdaExcelExport(ExcelExport):
    def from_group_data(self, fields, columns_headers, groups):
        with _GroupWriter(fields, columns_headers, groups.count) as writer:
            row, column = 1, 0
            for name, group in groups.children.items():
                row, column = writer.write_group(row, column, name, group)
        return writer.value

    def from_data(self, fields, columns_headers, rows):
        with _Writer(fields, columns_headers, len(rows)) as writer:
            for number, row in enumerate(rows, start=1):
                for column, value in enumerate(row):
                    writer.write_cell(number, column, value)
        return writer.value


class OdaTableExporter(TableExporter):
    """The pivot table: what it shows was read by rights; its titles are people's."""

    @http.route()
    def export_xlsx(self, data, **kw):
        text = data.read() if hasattr(data, "read") else data
        table = json.loads(text)
        if isinstance(table, dict):
            # the name of the sheet is no cell, and may not begin with an apostrophe
            table = {
                key: value if key == "title" else _guard_texts(value)
                for key, value in table.items()
            }
        return super().export_xlsx(json.dumps(table), **kw)


def _guard_texts(value):
    """Guard each text of a JSON value."""
    if isinstance(value, dict):
        return {key: _guard_texts(one) for key, one in value.items()}
    if isinstance(value, list):
        return [_guard_texts(one) for one in value]
    return guard(value)


class OdaJsonController(WebJsonController):
    """The /json route gives out lists as an export does: the same right."""

    def _get_action(self, subpath):
        found = super()._get_action(subpath)
        model = request.env[found[0].res_model]
        if getattr(model, "_oda_subject", None):
            model._oda_require("export")
            model._oda_log_export(None, ["/json"])
        return found


class OdaPartner(Partner):
    """A card of a contact to download is an export, of one or of many."""

    @http.route()
    def download_vcard(self, partner_ids=None, partner=None, **kwargs):
        Model = request.env["res.partner"]
        Model._oda_require("export")
        response = super().download_vcard(partner_ids, partner, **kwargs)
        Model._oda_log_export(len((partner_ids or "x").split(",")), ["vcard"])
        return response
