import { Component, useRef, useState } from "@odoo/owl";
import { _t } from "@web/core/l10n/translation";
import { sayDuration } from "../calls_service/call_format";

export const SPEEDS = [1, 1.25, 1.5, 2];
export const SKIP_SECONDS = 10;

/** A call's recording, or the reason why there is none to hear. */
export class RecordingPlayer extends Component {
    static template = "oda_telephony.RecordingPlayer";
    static props = {
        id: Number,
        /** pending | stored | failed | missing */
        state: String,
        /** seconds */
        duration: { type: [Number, Boolean], optional: true },
        url: { type: [String, Boolean], optional: true },
        "*": true,
    };

    setup() {
        this.audio = useRef("audio");
        this.state = useState({ speed: 1, broken: false, loaded: false });
        this.speeds = SPEEDS;
        this.skipSeconds = SKIP_SECONDS;
    }

    get url() {
        return this.props.url ?? `/oda/recording/${this.props.id}`;
    }

    get label() {
        const { duration } = this.props;
        return duration ? _t("Recording, %s", sayDuration(duration)) : _t("Recording");
    }

    get length() {
        return sayDuration(this.props.duration);
    }

    /** Why there is nothing to play, "" when there is. */
    get reason() {
        if (this.state.broken) {
            return _t("The recording could not be played. Reload the page to try again.");
        }
        switch (this.props.state) {
            case "stored":
                // An empty address is the server's way to say no.
                return this.url ? "" : _t("You may not listen to this recording.");
            case "failed":
                return _t("The recording could not be fetched from the phone system.");
            case "missing":
                return _t("The phone system has no recording of this call.");
        }
        return _t("The recording is being fetched.");
    }

    async play() {
        const audio = this.audio.el;
        try {
            await audio.play();
            audio.focus(); // the button that was pressed is no more
        } catch {
            // what went wrong, `onError` says
        }
    }

    onLoaded() {
        this.state.loaded = true;
        this.applySpeed();
    }

    setSpeed(speed) {
        this.state.speed = speed;
        this.applySpeed();
    }

    /** Browsers forget the speed when the sound is loaded. */
    applySpeed() {
        this.audio.el.playbackRate = this.state.speed;
    }

    skip(seconds) {
        const audio = this.audio.el;
        const end = Number.isFinite(audio.duration) ? audio.duration : Infinity;
        audio.currentTime = Math.min(Math.max(0, audio.currentTime + seconds), end);
    }

    onError() {
        this.state.broken = true;
    }
}
