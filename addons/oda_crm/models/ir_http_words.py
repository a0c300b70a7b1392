# License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl.html).
from odoo import api, models


class IrHttp(models.AbstractModel):
    _inherit = "ir.http"

    @api.model
    def _get_translations_for_webclient(self, modules, lang):
        """The centre's words where core's screens speak of activities.

        What core's scripts and templates say cannot be renamed by views or records;
        their translations, in any language, can be replaced on the way to the browser.
        """
        found, params = super()._get_translations_for_webclient(modules, lang)
        if not params:  # anybody may ask for any language; this one is not here
            return found, params
        ours = self.with_context(lang=lang or self.env.lang)._oda_words()
        for module, words in ours.items():
            if module in found:
                theirs = found[module].get("messages") or ()
                found[module] = {
                    **found[module],
                    "messages": [one for one in theirs if one["id"] not in words]
                    + [{"id": key, "string": text} for key, text in words.items()],
                }
        return found, params

    @api.model
    def _oda_words(self):
        """Addon of core -> its term -> ours, in the language of the context."""
        env = self.env
        return {
            "mail": {
                "Activity": env._("Task"),
                "Activities": env._("Tasks"),
                "Activity type": env._("Kind of task"),
                "Congratulations, you're done with your activities.": env._(
                    "All your tasks are done."
                ),
                "List Activity": env._("Tasks in a list"),
                "Planned Activities": env._("Tasks to do"),
                "Schedule Activity": env._("Add task"),
                "Schedule Activity On Selected Records": env._(
                    "Add a task to each selected one"
                ),
                "Schedule activities to help you get things done.": env._(
                    "Tasks show what is to be done next, and by when."
                ),
                "Schedule activity": env._("Add task"),
                "Schedule an activity": env._("Add task"),
                "Schedule an activity on selected records": env._(
                    "Add a task to each selected one"
                ),
                "Show All Activities": env._("Tasks of all"),
                "Show My Activities": env._("My tasks"),
                "Show activities": env._("Show tasks"),
                "This lead has been stuck in this stage for %(numberOfDays)s days.": (
                    env._(
                        "This consultation has stood in this stage for "
                        "%(numberOfDays)s days."
                    )
                ),
                "View all activities": env._("All tasks"),
            },
            "web": {"Activities": env._("Tasks")},
        }
