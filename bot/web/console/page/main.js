// The console: asks who is there, then draws the page and keeps it current.

import { reload } from "./inbox/conversations.js";
import { Frame } from "./frame/frame.js";
import { html, render } from "./frame/html.js";
import { connect } from "./data/live.js";
import { readLists } from "./data/lists.js";
import { startNotifications } from "./frame/notifications.js";
import { resumeOutgoing } from "./composer/outgoing.js";
import { whoAmI } from "./data/session.js";
import { startShortcuts } from "./frame/shortcuts.js";
import "./frame/theme.js";

async function main() {
  try {
    await whoAmI();
  } catch (error) {
    if (error.status === 401) {
      location.replace(`/console/login${location.hash}`);
      return;
    }
    throw error;
  }
  render(html`<${Frame} />`, document.body);
  startShortcuts();
  startNotifications();
  connect();
  resumeOutgoing();
  readLists();
  await reload();
}

main();
