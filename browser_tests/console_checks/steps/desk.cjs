// Steps that the checks share: a customer writes on the sandbox's phone, an operator logs in and finds them.
const post = (world, path, body) =>
  fetch(`${world.server}/sandbox/${path}`, { method: "POST", headers: { "Content-Type": "application/json" }, body: JSON.stringify(body) }).then(async (answer) => {
    if (!answer.ok) throw new Error(`${path}: ${answer.status} ${await answer.text()}`);
    return answer.json();
  });

/** A customer who has not written yet. */
exports.customer = (world, name) => post(world, "people", { name });

/** A switch of the sandbox's fault drawer, such as a message that comes three days late. */
exports.fault = (world, kind) => post(world, "trouble", { kind });

exports.write = (world, person, words) => post(world, "messages", { person: person.bsuid, message: { type: "text", text: { body: words } } });

/** Everything that the customer's phone shows, as one text. */
exports.phone = async (world, person) => JSON.stringify((await fetch(`${world.server}/sandbox/state`).then((answer) => answer.json())).history[person.bsuid]);

exports.logIn = async (world, page, who) => {
  await page.goto(`${world.server}/console/login`);
  await page.fill("[name=email]", who.email);
  await page.fill("[name=password]", who.password);
  await page.keyboard.press("Enter");
  await page.locator(".rail").waitFor();
};

/** Open a customer's conversation from the keyboard, with a tab's number and j. */
exports.find = async (page, tab, name) => {
  await page.keyboard.press(String(tab));
  await page.locator(".conversation-row", { hasText: name }).waitFor();
  const opened = () => page.locator(".conversation-head h2").textContent().catch(() => "");
  const rows = await page.locator(".conversation-row").count();
  for (let at = 0; at < rows; at += 1) {
    await page.keyboard.press("j");
    await page.locator(".conversation-head h2").waitFor();
    if ((await opened()) === name) return;
  }
  throw new Error(`${name} is not in tab ${tab}`);
};

exports.until = async (what, holds) => {
  for (let tries = 0; tries < 200; tries += 1) {
    if (await holds()) return;
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
  throw new Error(`never: ${what}`);
};
