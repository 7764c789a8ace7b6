// Shows the notifications that come to this phone, and opens the conversation when one is tapped.

self.addEventListener("install", () => self.skipWaiting());
self.addEventListener("activate", (event) => event.waitUntil(self.clients.claim()));

function read(data) {
  try {
    return data.json();
  } catch {
    return {};
  }
}

self.addEventListener("push", (event) => {
  const { title, body, url } = event.data ? read(event.data) : {};
  const icon = "/console/static/icon-192.png";
  // Browsers demand that something is shown for each push.
  event.waitUntil(self.registration.showNotification(title || "Recado", { body: body || "", icon, badge: icon, data: { url }, tag: url }));
});

async function open(asked) {
  const url = `/console/#/c/${encodeURIComponent(new URL(asked).searchParams.get("c") ?? "")}`;
  const pages = await self.clients.matchAll({ type: "window" });
  const page = pages.find((one) => new URL(one.url).pathname === "/console/");
  if (!page) return self.clients.openWindow(url);
  await page.focus();
  return page.navigate(url);
}

self.addEventListener("notificationclick", (event) => {
  event.notification.close();
  const { url } = event.notification.data || {};
  // Only pages of our own.
  if (url && new URL(url).origin === self.location.origin) event.waitUntil(open(url));
});
