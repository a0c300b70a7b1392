import { patch } from "@web/core/utils/patch";
import { WebClient } from "@web/webclient/webclient";

/**
 * Name the application after logging in on a home page that a server action gives.
 *
 * Core looks the menu up by the id of the action that was shown. A menu that runs a
 * server action (My consultations) shows another one, which keeps the menu's path.
 */
patch(WebClient.prototype, {
    async loadRouterState() {
        await super.loadRouterState(...arguments);
        const path = this.actionService.currentController?.action?.path;
        if (path && !this.menuService.getCurrentApp()) {
            const menu = this.menuService.getAll().find((one) => one.actionPath === path);
            if (menu) {
                this.menuService.setCurrentMenu(menu.appID);
            }
        }
    },
});
