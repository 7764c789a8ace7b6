const assert = require("node:assert");
const { customer, find, logIn, phone, until, write } = require("./steps/desk.cjs");

// Reload, a lost connection and the end of a session, each in the middle of a sentence.
module.exports = async (world) => {
  const page = await world.open();
  await logIn(world, page, world.people[0]);
  const rosa = await customer(world, "Rosa Iturbe");
  await write(world, rosa, "Quiero hablar con una persona");
  await find(page, 1, "Rosa Iturbe");
  await page.keyboard.press("t");
  await page.locator("#words").waitFor();

  await page.keyboard.type("a medio escribir");
  await page.reload();
  await page.waitForFunction(() => document.querySelector("#words")?.value === "a medio escribir");

  await page.context().setOffline(true);
  await page.locator(".offline").waitFor();
  await page.keyboard.press("r");
  await page.keyboard.press("Enter");
  await page.locator(".pending").waitFor();
  await write(world, rosa, "¿Sigues ahí?");
  await page.context().setOffline(false);
  await page.locator(".offline").waitFor({ state: "detached" });
  await page.locator(".pending").waitFor({ state: "detached" });
  await page.locator(".bubble.theirs", { hasText: "¿Sigues ahí?" }).waitFor();
  await until("sent", async () => (await phone(world, rosa)).includes("a medio escribir"));
  assert.equal((await phone(world, rosa)).split("a medio escribir").length, 2, "sent once");

  // An answer that got lost on its way: the retry has the same key, so that nothing is sent twice.
  await page.route("**/messages", async (route) => {
    await route.fetch();
    await route.abort();
    await page.unroute("**/messages");
  });
  await page.fill("#words", "una sola vez");
  await page.keyboard.press("Enter");
  await page.locator(".bubble.operator:not(.pending)", { hasText: "una sola vez" }).waitFor();
  await page.locator(".pending").waitFor({ state: "detached" });
  await until("sent", async () => (await phone(world, rosa)).includes("una sola vez"));
  assert.equal((await phone(world, rosa)).split("una sola vez").length, 2, "sent once");

  // The session ends: a login over the page, and the words leave after it.
  await page.fill("#words", "sin sesión");
  await page.context().clearCookies();
  await page.keyboard.press("Enter");
  await page.locator("dialog [name=password]").waitFor();
  await page.fill("dialog [name=password]", world.people[0].password);
  await page.keyboard.press("Enter");
  await page.locator("dialog").waitFor({ state: "detached" });
  await page.locator(".bubble.operator:not(.pending)", { hasText: "sin sesión" }).waitFor();
};
