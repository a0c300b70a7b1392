# License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl.html).


def uninstall_hook(env):
    """Give core's menus their own names back."""
    for xmlid, name in (
        ("crm.crm_menu_root", "CRM"),
        ("crm.menu_crm_opportunities", "My Pipeline"),
    ):
        menu = env.ref(xmlid, raise_if_not_found=False)
        if menu:
            menu.name = name
    for addon in ("crm", "sales_team"):
        records = env["ir.model.data"].search(
            [
                ("module", "=", addon),
                ("model", "in", ("ir.ui.menu", "ir.actions.act_window", "crm.stage")),
            ]
        )
        names = [f"{addon}.{record.name}" for record in records]
        env["ir.module.module"]._oda_load_names(addon, names)
