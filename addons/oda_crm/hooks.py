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
