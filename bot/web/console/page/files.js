// Files to send: what WhatsApp takes and how large, said before anything is uploaded.

import { SheetHead, showDialog } from "./dialog.js";
import { html, useEffect, useRef, useState } from "./html.js";
import { Icon, IconButton } from "./icon.js";
import { bytes, t } from "./language.js";
import { send } from "./outgoing.js";
import { toast } from "./toasts.js";
import { focusWriting } from "./writing_focus.js";

const MB = 2 ** 20;
// What the server takes, within https://developers.facebook.com/docs/whatsapp/cloud-api/reference/media#supported-media-types
const LIMITS = [
  { starts: "image/", most: 5 * MB },
  { starts: "audio/", most: 16 * MB },
];
const DOCUMENT = 32 * MB;
const MOST_FILES = 10;

/** Why WhatsApp would not take a file; undefined where it would. */
export function refusal({ name, type, size }) {
  if (!size) return t("file_empty", { name });
  if (type.startsWith("video/")) return t("file_video", { name });
  const limit = LIMITS.find(({ starts }) => type.startsWith(starts))?.most ?? DOCUMENT;
  return size > limit ? t("file_large", { name, size: bytes(size), limit: bytes(limit) }) : undefined;
}

/** Show the files with a caption to add, and send those that WhatsApp takes. */
export async function chooseFiles(conversation, files) {
  if (files.length > MOST_FILES) toast(t("files_many", { most: MOST_FILES }), { bad: true });
  const taken = files.slice(0, MOST_FILES).filter((file) => {
    const why = refusal(file);
    if (why) toast(why, { bad: true });
    return !why;
  });
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
    if (!file.type.startsWith("image/")) return undefined;
    const made = URL.createObjectURL(file);
    put(made);
    return () => URL.revokeObjectURL(made);
  }, [file]);
  if (url) return html`<img src=${url} alt=${file.name} />`;
  return html`<p class="attachment"><${Icon} name="file" /><span><b>${file.name}</b><small>${bytes(file.size)}</small></span></p>`;
}
