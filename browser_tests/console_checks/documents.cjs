const assert = require("node:assert");
const fs = require("node:fs");
const { customer, find, logIn, phone, until, write } = require("./steps/desk.cjs");

const AXE = fs.readFileSync(require.resolve("axe-core/axe.min.js"), "utf8");

// A question that no document answers becomes a suggestion; a person edits and accepts it, and withdraws it again.
module.exports = async (world) => {
  const found = [];
  const examine = async (page, name) => {
    await page.evaluate(AXE);
    const { violations } = await page.evaluate(() => globalThis.axe.run(document, { resultTypes: ["violations"] }));
    found.push(...violations.map(({ id, nodes }) => `${name}: ${id} ${nodes[0].html.slice(0, 200)}`));
  };
  const eva = await customer(world, "Eva Luna");
  const first = await world.open();
  await logIn(world, first, world.people[0]);
  await until("the sample documents are released", () =>
    first.evaluate(async () => (await (await fetch("/console/api/documents")).json()).documents.some(({ state }) => state === "released")),
  );
  await first.context().close();
  await write(world, eva, "Oye, ¿me rentan un salón para una boda?");
  await until("the assistant does not know", async () => (await phone(world, eva)).includes("Eso no lo sé"));
  const documents = async (options) => {
    const page = await world.open({ bypassCSP: true, ...options });
    await logIn(world, page, world.people[0]);
    await page.evaluate(() => (location.hash = "#/documents"));
    await page.locator(".suggested").waitFor({ state: "attached" });
    await page.waitForFunction(() => !document.querySelector('[role="status"].muted') && document.querySelector(".documents-frame tbody tr"));
    return page;
  };

  const page = await documents({});
  const one = page.locator(".suggested > li", { hasText: "salón para una boda" });
  await one.waitFor();
  await one.locator("summary").click();
  await one.locator(".asked-list a").waitFor();
  await examine(page, "light");
  await one.getByRole("button", { name: /^Editar y aceptar/ }).click();
  await page.locator("dialog textarea[name=answer]").fill("Sí, <b>para 80 personas</b>, con cita.");
  await page.locator("dialog textarea[name=question]").fill("¿Rentan un salón?");
  await examine(page, "sheet");
  await page.locator("dialog button.wide-button").click();
  const accepted = page.locator("section", { has: page.locator("#accepted-title") });
  await accepted.getByText("Sí, <b>para 80 personas</b>, con cita.").waitFor();
  assert.equal(await page.locator(".suggested > li", { hasText: "salón" }).count(), 0);
  assert.match(await page.locator(".documents-frame tbody").textContent(), /publicado/);
  await examine(page, "accepted");
  await page.context().close();

  const dark = await documents({ colorScheme: "dark", viewport: { width: 390, height: 844 }, locale: "en-US" });
  await examine(dark, "dark and narrow");
  assert.ok(await dark.locator(".me").evaluate((me) => me.getBoundingClientRect().right <= innerWidth), "all of the rail is on the screen");
  await dark.getByRole("button", { name: /^Withdraw/ }).click();
  await dark.locator("dialog button.danger").click();
  await dark.locator("#accepted-title").waitFor({ state: "detached" });

  // Why: the passages of an answer, with source, page and score.
  await write(world, eva, "¿cuánto tarda un reembolso a mi tarjeta?");
  await until("the documents answer", async () => (await phone(world, eva)).includes("Fuente"));
  await dark.context().close();
  const why = await world.open();
  await logIn(world, why, world.people[0]);
  await find(why, 4, "Eva Luna");
  await why.locator(".bubble.bot .why-link").last().click();
  await why.locator(".source").first().waitFor();
  assert.match(await why.locator(".source").first().textContent(), /\d/);
  if (found.length) throw new Error(found.join("\n"));
};
