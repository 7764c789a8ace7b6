// A voice note from the microphone, in the browser's own format.

import { byId } from "./dom.js";
import { t } from "./language.js";

const TYPES = ["audio/ogg;codecs=opus", "audio/webm;codecs=opus", "audio/mp4"];

export class Recorder {
  /** `done` gets the recording, `problem` the text to show when recording is impossible. */
  constructor(done, problem) {
    this.done = done;
    this.problem = problem;
    byId("record").addEventListener("click", () => this.start());
    byId("record-send").addEventListener("click", () => this.stop(true));
    byId("record-cancel").addEventListener("click", () => this.stop(false));
    byId("recording-row").addEventListener("keydown", (press) => press.key === "Escape" && this.stop(false));
  }

  async start() {
    let stream;
    try {
      stream = await navigator.mediaDevices.getUserMedia({ audio: true });
    } catch {
      // No microphone, no permission, or an insecure page: the person can mend each of them.
      this.problem(t("no_mic"));
      return;
    }
    this.problem();
    this.parts = [];
    this.recorder = new MediaRecorder(stream, { mimeType: TYPES.find((type) => MediaRecorder.isTypeSupported(type)) });
    this.recorder.addEventListener("dataavailable", ({ data }) => this.parts.push(data));
    this.recorder.addEventListener("stop", () => this.finish(stream));
    this.recorder.start();
    this.began = Date.now();
    this.show(true);
  }

  show(on) {
    byId("recording-row").hidden = !on;
    byId("typing-row").hidden = on;
    clearInterval(this.ticking);
    const draw = () => {
      const seconds = Math.floor((Date.now() - this.began) / 1000);
      byId("record-time").textContent = `${Math.floor(seconds / 60)}:${String(seconds % 60).padStart(2, "0")}`;
    };
    if (on) {
      draw();
      this.ticking = setInterval(draw, 250);
    }
    byId(on ? "record-send" : "record").focus();
  }

  stop(keep) {
    this.keep = keep;
    this.recorder.stop();
  }

  finish(stream) {
    for (const track of stream.getTracks()) track.stop();
    this.show(false);
    if (this.keep) this.done(new Blob(this.parts, { type: this.recorder.mimeType }));
  }
}
