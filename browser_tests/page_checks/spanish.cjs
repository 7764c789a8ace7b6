const assert = require("node:assert");

module.exports = async (page) => {
  const shot = (name) => process.env.SHOTS && page.screenshot({ path: `${process.env.SHOTS}/spanish_${name}.png` });
  // A mistake in a prompt is told in plain words; the checker's own words are a detail.
  await page.evaluate(async () => {
    const finding = { file: "prompts/assistant.md", line: 3, column: 7, code: "broken-yaml", severity: "error", message: "mapping values are not allowed here", fix: "mend the YAML", words: { es: { title: "La cabecera está mal escrita", hint: "En cada línea va un nombre, dos puntos y un valor." }, en: { title: "The head is written wrong", hint: "Each line is a name, a colon and a value." } } };
    (await import("./static/prompts.js")).show({ state: "wrong", findings: [finding], release: "abc" });
  });
  const wrong = await page.locator("#prompts-wrong").innerText();
  assert.match(wrong, /La cabecera está mal escrita/);
  assert.match(wrong, /dos puntos/);
  assert.doesNotMatch(wrong, /mapping values/);
  await shot("prompts");
  await page.evaluate(async () => (await import("./static/prompts.js")).show({ state: "released", findings: [], release: "abc", how: "release" }));

  // Tools have names, and a reply's marks are words of the page.
  await page.locator("#words").fill("Quiero cambiar al plan Pro");
  await page.locator("#words").press("Enter");
  const inside = page.locator("#view-turns .turn").first();
  await inside.getByText("Mostrar el cambio de plan").waitFor();
  assert.match(await inside.innerText(), /Para tocar: Confirmar · Dejarlo así/);
  assert.doesNotMatch(await inside.innerText(), /to tap|Say so|button/);

  // Meta's refusals, and failures of the page's own requests.
  await page.click("#show-drawer");
  await page.locator("#switches").getByText("Rechazo 131047").click();
  await page.click("#hide-drawer");
  await page.locator("#words").fill("Hola");
  await page.locator("#words").press("Enter");
  await page.locator("#log .note.bad").first().waitFor();
  assert.match(await page.locator("#log .note.bad").first().innerText(), /Meta rechazó una llamada: 131047 · pasaron 24 horas/);
  await page.setInputFiles("#document-input", { name: "nada.pdf", mimeType: "application/pdf", buffer: Buffer.alloc(0) });
  await page.locator("#sheet button[type=submit]").click();
  await page.locator("#problem").waitFor();
  assert.equal(await page.locator("#problem").innerText(), "No se pudo enviar: el archivo está vacío");
  await shot("refusal");
};
