const assert = require("node:assert");
const fs = require("node:fs");

const AXE = fs.readFileSync(require.resolve("axe-core/axe.min.js"), "utf8");

// Log in with the company's account, by keyboard, over the provider's page at another site.
module.exports = async (world) => {
  const page = await world.open({ bypassCSP: true });
  await page.goto(`${world.server}/console/login#/people`);
  const company = page.locator("#company");
  await company.waitFor();
  assert.equal(await company.textContent(), "Entrar con Cuentas");
  await page.getByRole("button", { name: "English" }).click();
  assert.equal(await company.textContent(), "Log in with Cuentas");
  await page.getByRole("button", { name: "Español" }).click();
  await page.evaluate(AXE);
  const { violations } = await page.evaluate(() => globalThis.axe.run(document, { resultTypes: ["violations"] }));
  assert.deepEqual(violations.map(({ id }) => id), []);
  if (process.env.SHOTS) await page.screenshot({ path: `${process.env.SHOTS}/company.png` });

  // The provider's own words are not shown, and its answer leaves the address.
  await page.goto(`${world.server}/console/oidc/callback?error=access_denied&error_description=%3Cb%3ECall+0900%3C/b%3E&state=x`);
  const refused = await page.locator("#problem:not([hidden])").textContent();
  assert.equal(refused, "No se inició sesión con Cuentas.");
  assert.equal(new URL(page.url()).search, "");
  await page.goto(`${world.server}/console/oidc/callback?code=stolen&state=x`);
  assert.match(await page.locator("#problem:not([hidden])").textContent(), /empieza de nuevo/);

  await page.goto(`${world.server}/console/login#/people`);
  await page.locator("#company").waitFor();
  await page.locator("[name=password]").focus();
  for (let presses = 0; presses < 2; presses++) await page.keyboard.press("Tab");
  assert.equal(await page.evaluate(() => document.activeElement.id), "company");
  await page.keyboard.press("Enter");
  await page.getByRole("button", { name: "Soy yo" }).click();
  await page.waitForURL(`${world.server}/console/#/people`);
  await page.locator(".page-head").waitFor();
  // Strict for this site alone, as after a password.
  const cookies = await page.context().cookies(`${world.server}/console/`);
  assert.deepEqual(cookies.map(({ name, httpOnly, sameSite }) => [name, httpOnly, sameSite]), [["recado_session", true, "Strict"]]);

  // Where a session ends over the page, the login goes by another tab, so that nothing typed is lost.
  await page.context().clearCookies({ name: "recado_session" });
  await page.evaluate(() => (location.hash = "#/audit"));
  const [tab] = await Promise.all([page.context().waitForEvent("page"), page.getByRole("link", { name: /Cuentas, en otra/ }).click()]);
  await tab.locator("#company").click();
  await tab.locator(".rail-link").first().waitFor();
  await page.bringToFront();
  await page.evaluate(() => dispatchEvent(new Event("focus")));
  await page.locator(".login-again").waitFor({ state: "detached" });
};
