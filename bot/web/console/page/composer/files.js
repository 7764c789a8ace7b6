// Files to send: what WhatsApp takes and how large, said before anything is uploaded.

import { SheetHead, showDialog } from "../frame/dialog.js";
import { html, useEffect, useRef, useState } from "../frame/html.js";
import { Icon, IconButton } from "../frame/icon.js";
import { bytes, t } from "../frame/language.js";
import { send } from "./outgoing.js";
import { toast } from "../frame/toasts.js";
import { videoProblem } from "./video_file.js";
import { focusWriting } from "./writing_focus.js";

const MB = 2 ** 20;
// What the server takes, within https://developers.facebook.com/docs/whatsapp/cloud-api/reference/media#supported-media-types
const LIMITS = [
  { starts: "image/", most: 5 * MB },
  { starts: "audio/", most: 16 * MB },
  { starts: "video/", most: 16 * MB },
];
const DOCUMENT = 32 * MB;
const MOST_FILES = 10;

/** Why WhatsApp would not take a file; undefined where it would. */
export async function refusal(file) {
  const { name, type, size } = file;
  if (!size) return t("file_empty", { name });
  const limit = LIMITS.find(({ starts }) => type.startsWith(starts))?.most ?? DOCUMENT;
  const film = type.startsWith("video/");
  const problem = film ? await videoProblem(file) : undefined;
  if (problem) return t(problem, { name });
  return size > limit ? t(film ? "video_large" : "file_large", { name, size: bytes(size), limit: bytes(limit) }) : undefined;
}

/** Show the files with a caption to add, and send those that WhatsApp takes. */
export async function chooseFiles(conversation, files) {
  if (files.length > MOST_FILES) toast(t("files_many", { most: MOST_FILES }), { bad: true });
  const taken = [];
  for (const file of files.slice(0, MOST_FILES)) {
    const why = await refusal(file);
    if (why) toast(why, { bad: true });
    else taken.push(file);
  }
  if (!taken.length) return;
  const caption = await showDialog(FilesSheet, { files: taken });
  focusWriting();
  if (caption === undefined) return;
  for (const [at, file] of taken.entries()) await send(conversation, { file, caption: at === 0 ? caption : "" });
}

export function Attach({ conversation }) {
  const input = useRef();
  const chosen = ({ target }) => {
    chooseFiles(conversation, [...target.files]);
    target.value = "";
  };
  return html`<input ref=${input} id="file" type="file" multiple hidden onChange=${chosen} /><${IconButton} icon="attach" label=${t("attach")} onClick=${() => input.current.click()} />`;
}

function FilesSheet({ files, close }) {
  const submit = (event) => {
    event.preventDefault();
    close(new FormData(event.target).get("caption").trim());
  };
  return html`<${SheetHead} title=${t("send_files")} close=${close} />
    <form onSubmit=${submit}>
      <div class="previews">${files.map((file) => html`<${Preview} key=${file.name} file=${file} />`)}</div>
      <label>${t("caption")}<input name="caption" maxlength="1024" autocomplete="off" autofocus /></label>
      <button class="wide-button"><${Icon} name="send" /> ${t("send")}</button>
    </form>`;
}

function Preview({ file }) {
  const [url, put] = useState("");
  useEffect(() => {
    if (!/^(image|video)\//.test(file.type)) return undefined;
    const made = URL.createObjectURL(file);
    put(made);
    return () => URL.revokeObjectURL(made);
  }, [file]);
  if (url && file.type.startsWith("video/")) return html`<video src=${url} controls preload="metadata" aria-label=${file.name}></video>`;
  if (url) return html`<img src=${url} alt=${file.name} />`;
  return html`<p class="attachment"><${Icon} name="file" /><span><b>${file.name}</b><small>${bytes(file.size)}</small></span></p>`;
}
