// Asks for permission when the person taps, subscribes this browser, and tells the server; says what went wrong.

const words = document.getElementById("words").dataset;
const [on, off, state, ios] = ["on", "off", "state", "ios"].map((id) => document.getElementById(id));
const standalone = matchMedia("(display-mode: standalone)").matches || navigator.standalone === true;
// An iPad says that it is a Mac, but Macs have no touch screen.
const apple = /iPhone|iPad|iPod/.test(navigator.userAgent) || (/Mac/.test(navigator.platform) && navigator.maxTouchPoints > 1);

class Problem extends Error {}

function say(name, kind = "quiet") {
  state.textContent = words[name];
  state.dataset.kind = kind;
}

function show(subscribed) {
  on.hidden = subscribed;
  off.hidden = !subscribed;
}

function bytes(base64url) {
  const text = atob(base64url.replaceAll("-", "+").replaceAll("_", "/"));
  return Uint8Array.from(text, (sign) => sign.charCodeAt(0));
}

async function ask(method, subscription) {
  const body = JSON.stringify({ subscription: subscription.toJSON(), token: words.token });
  const answer = await fetch("/push/subscriptions", { method, body, headers: { "Content-Type": "application/json" } });
  if (answer.status === 403) throw new Problem("overLead");
  if (answer.status === 429) throw new Problem("busy");
  if (!answer.ok) throw new Problem("failed");
}

async function registration() {
  await navigator.serviceWorker.register("/push/worker.js", { scope: "/push/" });
  return navigator.serviceWorker.ready;
}

// Without its maker's push service, a browser waits for ever.
function inTime(promise) {
  const late = new Promise((_, fail) => setTimeout(() => fail(new Problem("failed")), 20_000));
  return Promise.race([promise, late]);
}

function same(subscription, key) {
  const given = subscription.options.applicationServerKey;
  const mine = given ? new Uint8Array(given) : new Uint8Array();
  return mine.length === key.length && mine.every((one, index) => one === key[index]);
}

async function subscribe() {
  const permission = await Notification.requestPermission();
  if (permission !== "granted") throw new Problem(permission === "denied" ? "denied" : "dismissed");
  say("working");
  const answer = await fetch("/push/public-key");
  if (!answer.ok) throw new Problem("failed");
  const key = bytes((await answer.json()).publicKey);
  const { pushManager } = await registration();
  const before = await pushManager.getSubscription();
  // A browser keeps one subscription; one for an older key gets nothing any more.
  if (before && !same(before, key)) await before.unsubscribe();
  await ask("POST", await inTime(pushManager.subscribe({ userVisibleOnly: true, applicationServerKey: key })));
  show(true);
  say("subscribed", "good");
}

async function unsubscribe() {
  say("stopping");
  const { pushManager } = await registration();
  const subscription = await pushManager.getSubscription();
  if (subscription) {
    await ask("DELETE", subscription);
    await subscription.unsubscribe();
  }
  show(false);
  say("stopped", "good");
}

function guarded(button, work) {
  button.addEventListener("click", async () => {
    button.disabled = true;
    try {
      await work();
    } catch (error) {
      say(error instanceof Problem ? error.message : "failed", "bad");
    } finally {
      button.disabled = false;
    }
    // The button that had the focus may be gone.
    (on.hidden ? off : on).focus();
  });
}

async function start() {
  if (apple && !standalone && !("PushManager" in window)) {
    ios.hidden = false;
    state.hidden = true;
    return;
  }
  if (!isSecureContext) return say("insecure", "bad");
  if (!("serviceWorker" in navigator && "PushManager" in window && "Notification" in window)) {
    return say("unsupported", "bad");
  }
  guarded(on, subscribe);
  guarded(off, unsubscribe);
  const known = await navigator.serviceWorker.getRegistration("/push/");
  const subscribed = Notification.permission === "granted" && Boolean(await known?.pushManager.getSubscription());
  show(subscribed);
  if (subscribed) say("subscribed", "good");
  else if (Notification.permission === "denied") say("denied", "bad");
  else say("ready");
}

await start();
