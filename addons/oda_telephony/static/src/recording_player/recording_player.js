import { Component, onMounted, useRef, useState } from "@odoo/owl";
import { browser } from "@web/core/browser/browser";
import { _t } from "@web/core/l10n/translation";
import { useService } from "@web/core/utils/hooks";
import { sayDuration } from "../calls_service/call_format";
import { decodeWaveform, drawWaveform, skipSilence } from "./waveform";

export const SPEEDS = [0.75, 1, 1.25, 1.5, 2];
export const SKIP_SECONDS = 10;
const BARS = 120;
/** Seconds that a key of the line of time moves by. */
const KEYS = { ArrowLeft: -5, ArrowDown: -5, ArrowRight: 5, ArrowUp: 5, PageDown: -30, PageUp: 30 };

/** A call's recording, or the reason why there is none to hear. */
export class RecordingPlayer extends Component {
    static template = "oda_telephony.RecordingPlayer";
    static props = {
        id: Number,
        /** pending | stored | failed | missing | deleted */
        state: String,
        /** seconds */
        duration: { type: [Number, Boolean], optional: true },
        url: { type: [String, Boolean], optional: true },
        /** show the waveform before somebody presses "Listen" */
        eager: { type: Boolean, optional: true },
        "*": true,
    };

    setup() {
        this.orm = useService("orm");
        this.audio = useRef("audio");
        this.line = useRef("line");
        this.state = useState({
            speed: 1,
            broken: "",
            loaded: false,
            playing: false,
            at: 0,
            length: 0,
            path: "",
            quiet: false,
            download: false,
        });
        this.speeds = SPEEDS;
        this.skipSeconds = SKIP_SECONDS;
        this.bars = BARS;
        this.values = new Uint8Array();
        onMounted(() => {
            if (this.props.eager && !this.reason) {
                this.look();
            }
        });
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

    /** Seconds of the whole, as far as it is known. */
    get duration() {
        return this.state.length || this.props.duration || 0;
    }

    get now() {
        return sayDuration(Math.floor(this.state.at));
    }

    get end() {
        return sayDuration(Math.round(this.duration));
    }

    get valueText() {
        return _t("%(at)s of %(end)s", { at: this.now, end: this.end });
    }

    /** Share of the time that was played, in bars of the waveform. */
    get played() {
        return this.duration ? Math.min(1, this.state.at / this.duration) * BARS : 0;
    }

    get isOpen() {
        return this.state.loaded || !this.props.duration || Boolean(this.state.path);
    }

    /** Why there is nothing to play, "" when there is. */
    get reason() {
        if (this.state.broken) {
            return this.state.broken;
        }
        switch (this.props.state) {
            case "stored":
                // An empty address is the server's way to say no.
                return this.url ? "" : _t("You may not listen to this recording.");
            case "failed":
                return _t("The recording could not be fetched from the phone system.");
            case "missing":
                return _t("The phone system has no recording of this call.");
            case "deleted":
                return _t("The recording was removed: its time was over.");
        }
        return _t("The recording is being fetched.");
    }

    /** Ask for the waveform and the right to download; it plays without them too. */
    async look() {
        if (this.looked) {
            return;
        }
        this.looked = true;
        try {
            const found = await this.orm.silent.call("oda.recording", "get_player", [
                [this.props.id],
            ]);
            this.values = decodeWaveform(found.waveform);
            this.state.path = this.values.length ? drawWaveform(this.values, BARS) : "";
            this.state.download = found.download;
        } catch {
            this.looked = false;
        }
    }

    async play() {
        this.look();
        const audio = this.audio.el;
        try {
            await audio.play();
        } catch {
            // what went wrong, `onError` says
        }
        this.line.el?.focus({ preventScroll: true }); // the pressed button is no more
    }

    toggle() {
        return this.audio.el.paused ? this.play() : this.audio.el.pause();
    }

    onLoaded() {
        const audio = this.audio.el;
        this.state.loaded = true;
        if (Number.isFinite(audio.duration) && audio.duration > 0) {
            this.state.length = audio.duration;
        }
        if (this.wanted !== undefined) {
            audio.currentTime = this.wanted;
            this.wanted = undefined;
        }
        this.applySpeed();
    }

    onPlay() {
        this.state.playing = true;
        this.applySpeed();
    }

    onPause() {
        this.state.playing = false;
    }

    onTime() {
        const audio = this.audio.el;
        this.state.at = audio.currentTime;
        if (this.state.quiet && !audio.paused) {
            const next = skipSilence(this.values, this.duration, audio.currentTime);
            if (next > audio.currentTime + 0.05) {
                audio.currentTime = next;
            }
        }
    }

    setSpeed(speed) {
        this.state.speed = speed;
        this.applySpeed();
    }

    /** Browsers forget the speed when the sound is loaded. */
    applySpeed() {
        this.audio.el.playbackRate = this.state.speed;
    }

    toggleQuiet() {
        this.state.quiet = !this.state.quiet;
    }

    skip(seconds) {
        this.seek(this.audio.el.currentTime + seconds);
    }

    /** Go to a moment (seconds); what was not loaded yet begins there. */
    seek(seconds) {
        const audio = this.audio.el;
        const end = this.duration || Infinity;
        const at = Math.min(Math.max(0, seconds), end);
        this.state.at = at;
        if (this.state.loaded) {
            audio.currentTime = at;
        } else {
            this.wanted = at;
            this.play();
        }
    }

    onPointer(ev) {
        if (ev.type === "pointermove" && !ev.buttons) {
            return;
        }
        const box = this.line.el.getBoundingClientRect();
        if (box.width && this.duration) {
            this.seek(((ev.clientX - box.left) / box.width) * this.duration);
        }
    }

    onKey(ev) {
        if (ev.key in KEYS) {
            this.skip(KEYS[ev.key]);
        } else if (ev.key === "Home") {
            this.seek(0);
        } else if (ev.key === "End") {
            this.seek(this.duration);
        } else if (ev.key === " " || ev.key === "Enter") {
            this.toggle();
        } else {
            return;
        }
        ev.preventDefault();
        ev.stopPropagation();
    }

    async onError() {
        let status = 0;
        try {
            status = (await browser.fetch(this.url, { method: "HEAD" })).status;
        } catch {
            // no connection: said below
        }
        if (status === 503) {
            this.state.broken = _t(
                "The recording is encrypted and does not open. Tell an administrator."
            );
        } else if (status === 404) {
            this.state.broken = _t("The recording is no longer there.");
        } else {
            this.state.broken = _t(
                "The recording could not be played. Reload the page to try again."
            );
        }
    }
}
