// Shows the notifications that come, and opens their address when they are tapped.

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
  const options = { body: body || "", icon: "/push/icon.png", badge: "/push/icon.png", data: { url } };
  // Browsers demand that something is shown for each push.
  event.waitUntil(self.registration.showNotification(title || "•", options));
});

self.addEventListener("notificationclick", (event) => {
  event.notification.close();
  const { url } = event.notification.data || {};
  if (/^https?:\/\//.test(url || "")) event.waitUntil(self.clients.openWindow(url));
});
