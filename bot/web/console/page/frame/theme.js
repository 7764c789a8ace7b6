// Light, dark, or as the system has it.

import { effect, signal } from "./html.js";

export const THEMES = ["system", "light", "dark"];
const kept = localStorage.getItem("theme");
export const theme = signal(THEMES.includes(kept) ? kept : "system");

effect(() => {
  document.documentElement.dataset.theme = theme.value;
});

export function chooseTheme(name) {
  localStorage.setItem("theme", name);
  theme.value = name;
}
