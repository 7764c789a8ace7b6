const assert = require("node:assert");
const { customer, fault, logIn, phone, until, write } = require("./steps/desk.cjs");

// A customer who wrote three days ago: no free text, but a template with its data and a preview.
module.exports = async (world) => {
  const page = await world.open();
  await logIn(world, page, world.people[0]);
  const ines = await customer(world, "Inés Robledo");
  await fault(world, "late");
  await write(world, ines, "¿Ya salió mi pedido?");

  await page.keyboard.press("/");
  await page.waitForFunction(() => document.activeElement.id === "search");
  await until("the search finds her", async () => {
    await page.fill("#search", "");
    await page.fill("#search", "robledo");
    await page.waitForTimeout(400);
    return (await page.locator(".conversation-row", { hasText: "Inés Robledo" }).count()) > 0;
  });
  await page.keyboard.press("ArrowDown");
  await page.keyboard.press("Enter");
  await page.locator(".conversation-head .window-clock.shut").waitFor();
  await page.keyboard.press("t");
  await page.locator(".lock.shut").waitFor();
  assert.equal(await page.locator("#words").count(), 0);

  await page.keyboard.press("r");
  await page.waitForFunction(() => document.activeElement.id === "open-templates");
  await page.keyboard.press("Enter");
  await page.locator(".template-row", { hasText: "shipping update" }).filter({ hasText: "cambió a" }).click();
  for (const [name, value] of [["name", "Inés"], ["order", "A-17"], ["status", "en camino"]]) await page.locator("dialog label", { hasText: name }).locator("input").fill(value);
  assert.match(await page.locator(".template-preview").textContent(), /Hola Inés, tu pedido A-17 cambió a: en camino/);
  await page.keyboard.press("Enter");
  await page.locator(".bubble.operator:not(.pending)", { hasText: "en camino" }).waitFor();
  await until("the phone shows it", async () => (await phone(world, ines)).includes("en camino"));
};
