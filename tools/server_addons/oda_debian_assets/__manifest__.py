# License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl.html).
{
    "name": "ODA: missing asset of Debian's server package",
    "summary": "Debian's repack drops one script that mail's manifest still lists",
    "version": "19.0.1.0.0",
    "category": "Technical",
    "license": "AGPL-3",
    "author": "ODA",
    "depends": ["mail"],
    "auto_install": True,
    # Without this every page logs a console error, and any console error
    # fails a browser test. Harmless where the file does exist: only the
    # background blur of video calls is lost.
    "assets": {
        "web.assets_backend": [
            ("remove", "mail/static/lib/selfie_segmentation/selfie_segmentation.js"),
        ],
    },
}
