const assert = require("node:assert");
const { customer, find, logIn, write } = require("./steps/desk.cjs");

// Two operators at once: the second sees who has it, and live what the first does.
module.exports = async (world) => {
  const [ana, , sara] = world.people;
  const first = await world.open();
  const second = await world.open();
  await logIn(world, first, ana);
  await logIn(world, second, sara);
  const omar = await customer(world, "Omar Tello");
  await write(world, omar, "Quiero hablar con una persona");
  await find(first, 1, "Omar Tello");
  await find(second, 1, "Omar Tello");

  await first.keyboard.press("t");
  await first.locator("#words").waitFor();
  await second.locator(".conversation-head", { hasText: ana.name }).waitFor();
  await first.keyboard.type("Hola, soy Ana");
  await first.keyboard.press("Enter");
  await second.locator(".bubble.operator", { hasText: "Hola, soy Ana" }).waitFor();

  // A colleague can't take it, and reads who has it.
  await second.keyboard.press("t");
  assert.match(await second.locator(".toast.bad").textContent(), new RegExp(ana.name));
  assert.equal(await second.locator("#words").count(), 0);

  // An assignment moves it; the first one's words are refused then, and kept.
  await first.keyboard.press("Escape");
  await first.keyboard.press("a");
  await first.locator("dialog .row", { hasText: sara.name }).click();
  await second.locator("#words").waitFor();
  await first.locator(".lock", { hasText: sara.name }).waitFor();
};
