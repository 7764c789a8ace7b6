// A recording with a button, a position and its length; only one plays at a time.

import { html, useEffect, useRef, useState } from "../frame/html.js";
import { Icon } from "../frame/icon.js";
import { t } from "../frame/language.js";

const shown = (seconds) => `${Math.floor(seconds / 60)}:${String(Math.floor(seconds % 60)).padStart(2, "0")}`;
const SPEEDS = [1, 1.5, 2];
let playing;

export function Player({ src, seconds, voice }) {
  const audio = useRef();
  const [state, set] = useState({ paused: true, at: 0, length: seconds ?? 0, speed: 1, broken: false });
  const update = (part) => set((before) => ({ ...before, ...part }));
  useEffect(() => {
    const sound = new Audio();
    audio.current = sound;
    sound.preload = seconds ? "none" : "metadata";
    const draw = () => update({ paused: sound.paused, at: sound.currentTime, ...(Number.isFinite(sound.duration) && { length: sound.duration }) });
    for (const event of ["play", "pause", "timeupdate", "ended", "durationchange"]) sound.addEventListener(event, draw);
    sound.addEventListener("error", () => update({ broken: true }));
    sound.src = src;
    return () => {
      sound.pause();
      sound.removeAttribute("src");
    };
  }, [src]);
  const toggle = () => {
    const sound = audio.current;
    if (!sound.paused) return sound.pause();
    if (playing && playing !== sound) playing.pause();
    playing = sound;
    return sound.play().catch(() => update({ broken: true }));
  };
  const seek = ({ target }) => {
    if (state.length) audio.current.currentTime = (target.value / 1000) * state.length;
  };
  const faster = () => {
    const speed = SPEEDS[(SPEEDS.indexOf(state.speed) + 1) % SPEEDS.length];
    audio.current.playbackRate = speed;
    update({ speed });
  };
  if (state.broken) return html`<p class="attachment"><${Icon} name="alert" /><span>${t("audio_broken")} <a href=${src} download>${t("download")}</a></span></p>`;
  const time = shown(state.paused && !state.at ? state.length : state.at);
  return html`<div class="audio" role="group" aria-label=${t(voice ? "kind_voice" : "kind_audio")}>
    <button type="button" class="play" aria-label=${t(state.paused ? "play" : "pause")} onClick=${toggle}><${Icon} name=${state.paused ? "play" : "pause"} /></button>
    <input type="range" min="0" max="1000" value=${state.length ? (state.at / state.length) * 1000 : 0} aria-label=${t("position")} aria-valuetext=${time} onInput=${seek} />
    <span class="audio-time">${time}</span>
    <button type="button" class="speed" aria-label=${t("speed", { speed: state.speed })} onClick=${faster}>${state.speed}×</button>
  </div>`;
}
