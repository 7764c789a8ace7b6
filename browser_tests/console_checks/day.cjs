const assert = require("node:assert");
const fs = require("node:fs");
const path = require("node:path");
const { customer, find, logIn, phone, until, write } = require("./steps/desk.cjs");

const JPEG = "/9j/4AAQSkZJRgABAQEASABIAAD/2wBDAAMCAgICAgMCAgIDAwMDBAYEBAQEBAgGBgUGCQgKCgkICQkKDA8MCgsOCwkJDRENDg8QEBEQCgwSExIQEw8QEBD/wAALCAAIAAgBAREA/8QAFAABAAAAAAAAAAAAAAAAAAAACf/EABQQAQAAAAAAAAAAAAAAAAAAAAD/2gAIAQEAAD8AVN//2Q==";

// A day at the desk, with the keyboard alone.
module.exports = async (world) => {
  const page = await world.open();
  await logIn(world, page, world.people[0]);
  const luz = await customer(world, "Luz Barrera");
  const said = (words) => until(`the phone shows: ${words}`, async () => (await phone(world, luz)).includes(words));

  // The assistant answers, and says why.
  await write(world, luz, "Hola, ¿a qué hora abren?");
  await find(page, 4, "Luz Barrera");
  // What is chosen has the focus, so that Enter opens no other conversation.
  const chosen = () => page.evaluate(() => [document.activeElement.dataset.id, document.querySelector(".conversation-row.open")?.dataset.id]);
  await until("the chosen row has the focus", async () => (([focused, open]) => focused && focused === open)(await chosen()));
  await page.keyboard.press("Enter");
  assert.strictEqual(await page.locator(".conversation-head h2").textContent(), "Luz Barrera");
  await page.locator(".bubble.bot .why-link").first().click();
  await page.locator(".why-summary").waitFor();

  // What another release would have said: nothing of it reaches the customer.
  const messages = async () => JSON.stringify(JSON.parse(await phone(world, luz)).map(({ message }) => message));
  const heard = await messages();
  await page.locator(".why button", { hasText: "otra versión" }).press("Enter");
  await page.locator("dialog select").waitFor();
  await page.keyboard.press("Tab");
  await page.keyboard.press("Tab");
  await page.keyboard.press("Enter");
  await page.locator("dialog .difference").waitFor();
  assert.strictEqual(await messages(), heard);
  await page.keyboard.press("Escape");
  await page.locator("dialog").waitFor({ state: "detached" });
  await page.keyboard.press("Escape");

  // She asks for a person: an alarm, and the conversation waits.
  await write(world, luz, "Quiero hablar con una persona");
  await page.keyboard.press("1");
  await page.locator(".conversation-row", { hasText: "Luz Barrera" }).waitFor();
  const waited = page.locator(".conversation-row", { hasText: "Luz Barrera" }).locator(".waits");
  const atFirst = await waited.textContent();
  await until("the seconds that she waits go on", async () => (await waited.textContent()) !== atFirst);
  await until("the title counts", async () => /^\(\d+\)/.test(await page.title()));

  // Take it: the cursor stands in the box, and what is typed at once is there.
  await find(page, 1, "Luz Barrera");
  await page.keyboard.press("t");
  await page.waitForFunction(() => document.activeElement.id === "words");
  await page.keyboard.type("Hola Luz, soy Ana. <b>Ya te ayudo</b>");
  await page.keyboard.press("Enter");
  await page.locator(".bubble.operator", { hasText: "<b>Ya te ayudo</b>" }).waitFor();
  await said("<b>Ya te ayudo</b>");
  await page.locator(".bubble.operator .ticks.delivered, .bubble.operator .ticks.read").first().waitFor();

  // A photo with a caption; a file that is too large is refused before it is uploaded.
  await page.setInputFiles("#file", { name: "enorme.jpg", mimeType: "image/jpeg", buffer: Buffer.alloc(6 * 2 ** 20, 1) });
  assert.match(await page.locator(".toast.bad").textContent(), /WhatsApp acepta hasta 5 MB/);
  await page.setInputFiles("#file", { name: "foto.jpg", mimeType: "image/jpeg", buffer: Buffer.from(JPEG, "base64") });
  await page.locator("dialog [name=caption]").waitFor();
  await page.keyboard.type("tu comprobante");
  await page.keyboard.press("Enter");
  await page.locator(".bubble.operator", { hasText: "tu comprobante" }).locator(".picture").waitFor();
  await said("tu comprobante");

  // A video that WhatsApp would not play is refused with the remedy; one that it plays is shown.
  const film = fs.readFileSync(path.join(__dirname, "../../fixtures/media/video/label.mp4"));
  const hevc = Buffer.from(film.toString("latin1").replaceAll("avc1", "hvc1"), "latin1");
  await page.setInputFiles("#file", { name: "iphone.mp4", mimeType: "video/mp4", buffer: hevc });
  await page.locator(".toast.bad", { hasText: "sólo reproduce video H.264" }).waitFor();
  await page.setInputFiles("#file", { name: "etiqueta.mp4", mimeType: "video/mp4", buffer: film });
  await page.locator("dialog [name=caption]").fill("así se ve");
  await page.keyboard.press("Enter");
  await page.locator(".bubble.operator", { hasText: "así se ve" }).locator("video.picture").waitFor();
  await said("así se ve");

  // Buttons below an answer.
  await page.getByRole("button", { name: "Botones bajo la respuesta" }).click();
  await page.locator(".button-titles input").first().fill("Hoy");
  await page.locator("#words").fill("¿Te llamamos?");
  await page.keyboard.press("Enter");
  await page.locator(".bubble.operator", { hasText: "¿Te llamamos?" }).locator(".buttons li", { hasText: "Hoy" }).waitFor();
  await said("Hoy");

  // She writes meanwhile; nobody but the operator answers.
  await write(world, luz, "¿Y cuánto tarda?");
  await page.locator(".bubble.theirs", { hasText: "¿Y cuánto tarda?" }).waitFor();

  // A private note that mentions a colleague.
  await page.keyboard.press("Escape");
  await page.keyboard.press("n");
  await page.keyboard.type("revisa esto @leo");
  await page.locator("#suggestions").waitFor();
  await page.keyboard.press("Enter");
  await page.keyboard.press("Enter");
  await page.locator(".note-card .mention", { hasText: "Leo" }).waitFor();
  assert.ok(!(await phone(world, luz)).includes("revisa esto"));

  // Give it back with a note: the assistant goes on and answers what came.
  const before = (await page.locator(".bubble.bot").count()) || 0;
  await page.keyboard.press("Escape");
  await page.keyboard.press("g");
  await page.locator("dialog textarea").waitFor();
  await page.keyboard.type("Su reembolso tarda 5 días.");
  await page.keyboard.press("Control+Enter");
  await page.locator("dialog").waitFor({ state: "detached" });
  await until("the assistant answers", async () => (await page.locator(".bubble.bot").count()) > before);

  // Close it: it is in its tab.
  await page.keyboard.press("e");
  await page.keyboard.press("5");
  await page.locator(".conversation-row", { hasText: "Luz Barrera" }).waitFor();
};
