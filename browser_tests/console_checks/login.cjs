const assert = require("node:assert");
const { logIn } = require("./steps/desk.cjs");

module.exports = async (world) => {
  const [ana, leo] = world.people;
  const page = await world.open();

  // A link sets a password once; its token leaves the address.
  await page.goto(leo.link);
  await page.fill("[name=password]", "una frase larga y rara");
  await page.fill("[name=again]", "otra");
  await page.keyboard.press("Enter");
  assert.match(await page.locator("#problem").textContent(), /no son iguales/);
  await page.fill("[name=again]", "una frase larga y rara");
  await page.keyboard.press("Enter");
  await page.locator("#done").waitFor();
  assert.ok(!page.url().includes("token"));
  await page.goto(leo.link);
  await page.fill("[name=password]", "una frase larga y rara");
  await page.fill("[name=again]", "una frase larga y rara");
  await page.keyboard.press("Enter");
  assert.match(await page.locator("#problem:not([hidden])").textContent(), /ya se usó/);

  // A wrong password is refused in the person's words; in English too.
  await page.goto(`${world.server}/console/`);
  await page.waitForURL(/login/);
  await page.fill("[name=email]", leo.email);
  await page.fill("[name=password]", "no es esta frase");
  await page.keyboard.press("Enter");
  assert.match(await page.locator("#problem:not([hidden])").textContent(), /no son correctos/);
  await page.getByRole("button", { name: "English" }).click();
  await page.keyboard.press("Tab");
  await page.fill("[name=password]", "not this one either");
  await page.press("[name=password]", "Enter");
  await page.waitForFunction(() => /password is wrong/.test(document.querySelector("#problem").textContent));

  // An agent sees neither reports nor the audit log; an administrator does.
  await logIn(world, page, leo);
  assert.deepEqual(await page.locator(".rail-link").evaluateAll((all) => all.map(({ hash }) => hash)), ["#/inbox", "#/people"]);
  await page.locator(".me").click();
  await page.getByLabel("Español").check();
  await page.getByLabel("Oscura").check();
  assert.equal(await page.evaluate(() => document.documentElement.dataset.theme), "dark");
  await page.getByRole("button", { name: "Salir" }).click();
  await page.waitForURL(/login/);
  await logIn(world, page, ana);
  assert.equal(await page.locator(".rail-link").count(), 6);
};
