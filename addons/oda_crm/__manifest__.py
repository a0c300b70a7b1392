# License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl.html).
{
    "name": "ODA CRM",
    "summary": "Beneficiaries, consultations and the log of consultation sessions",
    "version": "19.0.1.1.0",
    "development_status": "Beta",
    "category": "Sales/CRM",
    "license": "AGPL-3",
    "author": "ODA",
    "depends": ["oda_base", "crm"],
    "data": [
        "security/oda_crm_groups.xml",
        "security/ir.model.access.csv",
        "security/oda_crm_rules.xml",
        "views/oda_consultation_session_views.xml",
        "views/crm_lead_views.xml",
        "views/res_partner_views.xml",
        "views/oda_crm_menus.xml",
    ],
    "demo": ["demo/oda_crm_demo.xml"],
    "uninstall_hook": "uninstall_hook",
    "application": True,
}
