// What was sent with a message: a picture, a recording with its transcript, a document, a place, a contact.

import { OutLink } from "./formatting.js";
import { html } from "../frame/html.js";
import { Icon } from "../frame/icon.js";
import { bytes, t } from "../frame/language.js";
import { Player } from "./player.js";
import { PictureSheet } from "./picture_sheet.js";
import { showDialog } from "../frame/dialog.js";

export function Media({ message }) {
  const { kind, media, transcript, read, location } = message;
  return html`
    ${media && html`<${Sent} kind=${kind} media=${media} message=${message} />`}
    ${location && html`<${Place} location=${location} />`}
    ${transcript && html`<blockquote class="transcript" dir="auto"><span class="unseen">${t("transcript")}: </span>${transcript}</blockquote>`}
    ${read && html`<details class="read-off"><summary>${t("read_off")}</summary><p dir="auto">${read}</p></details>`}
  `;
}

function Sent({ kind, media, message }) {
  const { url, mime = "", name } = media;
  if (!url) return html`<p class="attachment gone-words"><${Icon} name="file" /><span>${t("media_gone")}</span></p>`;
  if (mime.startsWith("audio/")) return html`<${Player} src=${url} seconds=${media.seconds} voice=${kind === "voice"} />`;
  if (mime.startsWith("video/")) return html`<div class="film"><video class="picture" src=${url} controls preload="metadata" aria-label=${t("kind_video")}></video></div>`;
  if (mime.startsWith("image/"))
    return html`<button type="button" class=${kind === "sticker" ? "picture-button sticker" : "picture-button"} aria-label=${t("open_picture")} onClick=${() => showDialog(PictureSheet, { url, text: message.text })}>
      <img class="picture" src=${url} alt=${message.read || message.text || t("kind_image")} loading="lazy" width=${media.width} height=${media.height} />
    </button>`;
  return html`<${OutLink} href=${url} class="attachment"><${Icon} name="file" /><span><b>${name ?? t("kind_document")}</b><small>${[ending(name, mime), media.size ? bytes(media.size) : ""].filter(Boolean).join(" · ")}</small></span><//>`;
}

const ending = (name, mime) => (/\.(\w{1,5})$/.exec(name ?? "")?.[1] ?? mime.split("/").at(-1) ?? "").toUpperCase();

function Place({ location }) {
  const { latitude, longitude, name, address } = location;
  const url = `https://www.openstreetmap.org/?mlat=${Number(latitude)}&mlon=${Number(longitude)}#map=16/${Number(latitude)}/${Number(longitude)}`;
  return html`<${OutLink} href=${url} class="attachment"><${Icon} name="place" /><span><b>${name ?? t("kind_location")}</b><small>${address ?? `${latitude}, ${longitude}`}</small></span><//>`;
}
