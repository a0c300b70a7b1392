import { expect, test } from "@odoo/hoot";
import { dayNews } from "@oda_crm/my_day/my_day";

test("a call is news for somebody's day", () => {
    expect(dayNews.contains("oda_telephony.call")).toBe(true);
});
