// A voice note or audio file with a button, a position and its length.

import { el, icon } from "./dom.js";
import { t } from "./language.js";

const shown = (seconds) => `${Math.floor(seconds / 60)}:${String(Math.floor(seconds % 60)).padStart(2, "0")}`;
let playing;

/** The player of one file; only one plays at a time. */
export function player(src, isVoice) {
  const audio = new Audio();
  audio.preload = "metadata";
  const button = el("button", { type: "button", class: "play" });
  const slider = el("input", { type: "range", min: 0, max: 1000, value: 0, "aria-label": t("position") });
  const clock = el("span", { class: "audio-time" }, "0:00");
  const seek = () => Number.isFinite(audio.duration) && (audio.currentTime = (slider.value / 1000) * audio.duration);
  const draw = () => {
    button.replaceChildren(icon(audio.paused ? "play" : "pause"));
    button.setAttribute("aria-label", t(audio.paused ? "play" : "pause"));
    const known = Number.isFinite(audio.duration);
    slider.value = known && audio.duration ? (audio.currentTime / audio.duration) * 1000 : 0;
    clock.textContent = shown(audio.paused && !audio.currentTime && known ? audio.duration : audio.currentTime);
    slider.setAttribute("aria-valuetext", clock.textContent);
  };
  button.addEventListener("click", () => toggle(audio));
  slider.addEventListener("input", seek);
  for (const event of ["play", "pause", "timeupdate", "ended", "durationchange"]) audio.addEventListener(event, draw);
  audio.addEventListener("loadedmetadata", () => measure(audio), { once: true });
  audio.src = src;
  draw();
  return el("div", { class: "audio", role: "group", "aria-label": t(isVoice ? "voice_note" : "audio") }, button, slider, clock, icon(isVoice ? "mic" : "file"));
}

function toggle(audio) {
  if (!audio.paused) return audio.pause();
  if (playing && playing !== audio) playing.pause();
  playing = audio;
  return audio.play();
}

/** Seek to the end once, because a recording made in the browser doesn't state its length. */
function measure(audio) {
  if (audio.duration !== Infinity) return;
  audio.addEventListener("durationchange", () => (audio.currentTime = 0), { once: true });
  audio.currentTime = 1e9;
}
