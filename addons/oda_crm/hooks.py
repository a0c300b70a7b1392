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
    _keep_flows_in_use(env)
    for addon in ("crm", "sales_team"):
        records = env["ir.model.data"].search(
            [
                ("module", "=", addon),
                ("model", "in", ("ir.ui.menu", "ir.actions.act_window", "crm.stage")),
            ]
        )
        names = [f"{addon}.{record.name}" for record in records]
        env["ir.module.module"]._oda_load_names(addon, names)


def _keep_flows_in_use(env):
    """Leave flows and stages that consultations stand in: they are people's own now."""
    leads = env["crm.lead"].with_context(active_test=False)
    stages = env["crm.stage"].union(
        *(one[0] for one in leads._read_group([], ["stage_id"]))
    )
    teams = env["crm.team"].union(
        *(one[0] for one in leads._read_group([], ["team_id"]))
    )
    flows = teams | stages.team_ids
    for records in (stages, flows, flows.alias_id):
        env["ir.model.data"].search(
            [
                ("module", "=", "oda_crm"),
                ("model", "=", records._name),
                ("res_id", "in", records.ids),
            ]
        ).unlink()
