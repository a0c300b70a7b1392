import { registry } from "@web/core/registry";

// A word beside what is being typed; core's dialog covers a telephone's whole screen.
registry.category("error_notifications").add("odoo.addons.oda_crm.exceptions.ResultRefused", {
    type: "warning",
    autocloseDelay: 8000,
});
