# License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl.html).
# Every command sets up by itself whatever it needs. Settings from the environment:
#   ODA_HTTP_PORT (8069)  ODA_SANDBOX_PORT (8070)  ODA_DB (oda)  ODOO_SOURCE (a folder)
#   ODA_ASTERISK=1: a real Asterisk beside it (make run)

export ODA_HTTP_PORT ODA_SANDBOX_PORT ODA_DB ODOO_SOURCE ADDON FROM CONFIRM ONLY QUICK ODA_ASTERISK VIA

.DEFAULT_GOAL := help
.PHONY: help run test bench lint shell stop clean backup restore call i18n

help: ## this list
	@sed -n 's/^\([a-z0-9]*\):.*## /  make \1\t/p' Makefile

run: ## set up, serve http://127.0.0.1:8069 and the sandbox until Ctrl-C
test: ## all tests (ADDON=oda_crm: one addon)
bench: ## performance figures, ours beside stock Odoo's
lint: ## style and static checks
shell: ## Odoo's Python shell on the database
stop: ## stop what runs from this clone
clean: ## remove .local (server, database, everything set up)
backup: ## database and files to .local/backups
restore: ## bring back a backup: FROM=folder (CONFIRM=1 to overwrite)
i18n: ## refresh the translation files (ADDON=oda_crm: one addon)
call: ## ring as an outside caller, in the sandbox: FROM=+37369123456 (VIA=asterisk)

run test bench lint shell stop clean backup restore call i18n:
	@sh tools/bootstrap.sh $@
