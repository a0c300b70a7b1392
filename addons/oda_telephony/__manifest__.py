# License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl.html).
{
    "name": "ODA Telephony",
    "summary": "Calls open the beneficiary's card; recordings hang on the call",
    "version": "19.0.1.0.0",
    "development_status": "Beta",
    "category": "Productivity/Phone",
    "license": "AGPL-3",
    "author": "ODA",
    "depends": ["oda_crm"],
    "data": [
        "security/ir.model.access.csv",
        "security/oda_telephony_rules.xml",
        "data/oda_telephony_data.xml",
        "views/oda_call_views.xml",
        "views/oda_recording_views.xml",
        "views/oda_pbx_user_views.xml",
        "views/oda_connector_account_views.xml",
        "views/res_partner_views.xml",
        "views/crm_lead_views.xml",
        "views/oda_telephony_menus.xml",
    ],
    "demo": ["demo/oda_telephony_demo.xml"],
    "assets": {
        "web.assets_backend": ["oda_telephony/static/src/**/*"],
        "web.assets_unit_tests": ["oda_telephony/static/tests/**/*"],
    },
    "application": True,
}
