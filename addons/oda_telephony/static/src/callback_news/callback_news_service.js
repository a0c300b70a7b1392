import { _t } from "@web/core/l10n/translation";
import { registry } from "@web/core/registry";

/**
 * Says that somebody waits for a call: stays until it is closed or opened. Of the same
 * row there is one notice at a time, the newest.
 */
export const callbackNewsService = {
    dependencies: ["action", "bus_service", "notification"],

    start(env, { action, bus_service, notification }) {
        const shown = new Map();

        function open(news) {
            if (news.rows > 1) {
                return action.doAction("oda_telephony.action_oda_callback", {
                    additionalContext: { search_default_mine: 1 },
                });
            }
            return action.doAction({
                type: "ir.actions.act_window",
                res_model: "oda.callback",
                res_id: news.id,
                views: [[false, "form"]],
            });
        }

        bus_service.subscribe("oda_telephony.callback", (news) => {
            shown.get(news.id)?.();
            if (news.over) {
                return;
            }
            const who = news.name === news.phone ? news.name : `${news.name}, ${news.phone}`;
            const words = news.rows > 1 ? _t("%s callers wait for your call", news.rows) : who;
            const close = notification.add(words, {
                title: _t("To call back"),
                type: "warning",
                sticky: true,
                buttons: [
                    {
                        name: _t("Open"),
                        primary: true,
                        onClick: () => {
                            close();
                            open(news);
                        },
                    },
                ],
                onClose: () => shown.delete(news.id),
            });
            shown.set(news.id, close);
        });
    },
};

registry.category("services").add("oda_telephony.callback_news", callbackNewsService);
