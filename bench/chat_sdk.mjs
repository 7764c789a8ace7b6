// The Chat SDK (npm: chat) as its documentation shows it: read, type, ask the model with the last words, reply.
// It is measured beside Recado. Its words are kept in this process alone, and die with it.
import { createServer } from "node:http";
import { createRedisState } from "@chat-adapter/state-redis";
import { createWhatsAppAdapter } from "@chat-adapter/whatsapp";
import { Chat } from "chat";

const { PORT, REDIS_URL, UPSTREAM, WHATSAPP_APP_SECRET } = process.env;
const REMEMBERED = 20;
const words = new Map();

const chat = new Chat({
  userName: "peer",
  logger: "silent",
  concurrency: "queue",
  state: createRedisState({ url: REDIS_URL }),
  adapters: {
    whatsapp: createWhatsAppAdapter({
      accessToken: "t", appSecret: WHATSAPP_APP_SECRET, phoneNumberId: "1", verifyToken: "v", apiUrl: UPSTREAM,
    }),
  },
});

async function complete(messages) {
  const response = await fetch(`${UPSTREAM}/api/v1/chat/completions`, {
    method: "POST",
    headers: { authorization: "Bearer k", "content-type": "application/json" },
    body: JSON.stringify({ model: "anthropic/claude-3-haiku", messages }),
  });
  const { choices } = await response.json();
  return choices[0].message.content;
}

async function reply(thread, { text }) {
  const typing = thread.startTyping().catch(() => undefined);
  const said = words.get(thread.id) ?? [];
  words.set(thread.id, said);
  said.push({ role: "user", content: text });
  const content = await complete(said.slice(-REMEMBERED));
  said.push({ role: "assistant", content });
  await thread.post(content);
  await typing;
}

chat.onDirectMessage?.(reply);
chat.onNewMention(reply);

createServer(async (request, response) => {
  const parts = [];
  for await (const part of request) parts.push(part);
  const { method, headers, url } = request;
  const webhook = new Request(`http://localhost${url}`, { method, headers, body: Buffer.concat(parts) });
  const answer = await chat.webhooks.whatsapp(webhook, { waitUntil: (work) => work.catch(console.error) });
  response.writeHead(answer.status).end(await answer.text());
}).listen(Number(PORT), "127.0.0.1");
