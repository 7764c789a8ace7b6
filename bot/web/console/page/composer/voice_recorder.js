// A voice note from the microphone.

import { html, useEffect, useRef, useState } from "../frame/html.js";
import { IconButton } from "../frame/icon.js";
import { t } from "../frame/language.js";
import { oggOf } from "./ogg_opus.js";
import { send } from "./outgoing.js";
import { toast } from "../frame/toasts.js";

// WhatsApp's voice notes are Opus in Ogg; WebM is turned into it, and AAC in MP4 arrives as an audio file.
const TYPES = ["audio/ogg;codecs=opus", "audio/webm;codecs=opus", "audio/mp4;codecs=mp4a.40.2"];
const able = globalThis.MediaRecorder && navigator.mediaDevices ? TYPES.find((type) => MediaRecorder.isTypeSupported(type)) : undefined;

export function VoiceRecorder({ conversation }) {
  const [seconds, tick] = useState(-1);
  const recording = useRef();
  useEffect(() => () => stop(false), []);
  if (!able) return null;

  const start = async () => {
    let stream;
    try {
      stream = await navigator.mediaDevices.getUserMedia({ audio: true });
    } catch {
      // No microphone, no permission, or an insecure page: the person can mend each of them.
      toast(t("no_mic"), { bad: true });
      return;
    }
    const parts = [];
    const recorder = new MediaRecorder(stream, { mimeType: able });
    const began = Date.now();
    recorder.addEventListener("dataavailable", ({ data }) => parts.push(data));
    recorder.addEventListener("stop", () => {
      clearInterval(recording.current.timer);
      for (const track of stream.getTracks()) track.stop();
      if (recording.current.keep) deliver(conversation, parts);
      tick(-1);
    });
    recording.current = { recorder, keep: false, timer: setInterval(() => tick(Math.floor((Date.now() - began) / 1000)), 250) };
    recorder.start();
    tick(0);
  };
  const stop = (keep) => {
    if (recording.current?.recorder.state !== "recording") return;
    recording.current.keep = keep;
    recording.current.recorder.stop();
  };
  if (seconds < 0) return html`<${IconButton} icon="mic" label=${t("record")} onClick=${start} />`;
  return html`<span class="recording"><${IconButton} icon="bin" label=${t("discard")} onClick=${() => stop(false)} /><span role="timer" aria-label=${t("recording")}>${Math.floor(seconds / 60)}:${String(seconds % 60).padStart(2, "0")}</span><${IconButton} icon="check" label=${t("send_recording")} onClick=${() => stop(true)} /></span>`;
}

async function deliver(conversation, parts) {
  const type = able.split(";")[0];
  const recorded = new Blob(parts, { type });
  const sound = type === "audio/webm" ? oggOf(await recorded.arrayBuffer()) : recorded;
  if (!sound?.size) {
    toast(t("recording_empty"), { bad: true });
    return;
  }
  const file = new File([sound], sound.type === "audio/ogg" ? "voice.ogg" : "voice.m4a", { type: sound.type });
  send(conversation, { file, caption: "", voice: true });
}
