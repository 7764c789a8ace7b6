// The open conversation: its head, its messages and the box to write in.

import { ConversationHead } from "./conversation_head.js";
import { Composer, mode } from "../composer/composer.js";
import { conversation, refresh } from "../inbox/conversations.js";
import { html, useEffect, useState } from "../frame/html.js";
import { t } from "../frame/language.js";
import { markRead } from "./actions.js";
import { go } from "../frame/route.js";
import { openThread, thread } from "./thread.js";
import { ThreadLog } from "./thread_log.js";

export function Conversation({ id }) {
  const [missing, miss] = useState(false);
  useEffect(() => {
    mode.value = "reply";
    openThread(id);
    refresh(id).then((error) => miss(error?.status === 404));
  }, [id]);
  const one = conversation(id);
  useEffect(() => {
    if (one?.unread && document.hasFocus()) markRead(id);
  }, [one?.unread, thread.value.messages.length]);
  if (missing && !one) return html`<section class="nothing-open"><p>${t("conversation_missing")}</p><button type="button" class="small" onClick=${() => go("inbox")}>${t("back_to_inbox")}</button></section>`;
  if (!one) return html`<section class="conversation" aria-busy="true"></section>`;
  return html`<section class="conversation" aria-label=${t("conversation")}>
    <${ConversationHead} one=${one} />
    <${ThreadLog} one=${one} />
    <${Composer} key=${id} one=${one} />
  </section>`;
}
