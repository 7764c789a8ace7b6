// The console: asks who is there, then draws the page and keeps it current.

import { reload } from "./conversations.js";
import { Frame } from "./frame.js";
import { html, render } from "./html.js";
import { connect } from "./live.js";
import { readLists } from "./lists.js";
import { startNotifications } from "./notifications.js";
import { resumeOutgoing } from "./outgoing.js";
import { whoAmI } from "./session.js";
import { startShortcuts } from "./shortcuts.js";
import "./theme.js";

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
