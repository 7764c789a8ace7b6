// The stream of the server's events, and the banner while it is interrupted.

import { byId } from "./dom.js";

// The server sends a heartbeat every 15 seconds.
const SILENCE_MS = 40000;
const RETRY_MS = 1500;

/** Listen until the page closes; `opened` runs after each connection, `heard` gets each event. */
export function connect(opened, heard) {
  let silence;
  const show = (offline) => (byId("offline").hidden = !offline);
  const open = () => {
    const stream = new EventSource("events");
    const again = () => {
      stream.close();
      clearTimeout(silence);
      show(true);
      setTimeout(open, RETRY_MS);
    };
    const alive = () => {
      clearTimeout(silence);
      silence = setTimeout(again, SILENCE_MS);
    };
    stream.addEventListener("open", async () => {
      alive();
      try {
        await opened();
        show(!navigator.onLine);
      } catch {
        again();
      }
    });
    stream.addEventListener("error", again);
    stream.addEventListener("heartbeat", alive);
    stream.addEventListener("message", ({ data }) => (alive(), heard(JSON.parse(data))));
  };
  // Without a network the browser tells first; the stream notices later.
  addEventListener("offline", () => show(true));
  addEventListener("online", () => show(false));
  open();
}
