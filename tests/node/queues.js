// BullMQ as the company's Node services use it, told by a test what to do: a JSON line in, a JSON line out.
import { createInterface } from "node:readline";
import { Queue, Worker } from "bullmq";
import Redis from "ioredis";

const connection = new Redis(process.argv[2], { maxRetriesPerRequest: null });
const queues = new Map();
const taken = [];

function queue(name) {
  if (!queues.has(name)) queues.set(name, new Queue(name, { connection }));
  return queues.get(name);
}

const does = {
  // All at once, so that their order is the order of the list.
  add: async ({ name, jobs }) => (await queue(name).addBulk(jobs)).map((job) => job.id),
  job: async ({ name, id }) => {
    // The state first: what the job says of itself is then at least as new.
    const state = await queue(name).getJobState(id);
    const job = await queue(name).getJob(id);
    return job ? { ...job.toJSON(), state } : null;
  },
  counts: ({ name }) => queue(name).getJobCounts("wait", "active", "delayed", "prioritized", "completed", "failed"),
  retry: async ({ name, id }) => (await queue(name).getJob(id)).retry(),
  // The first `failures` tries fail.
  work: async ({ name, failures }) => {
    let left = failures;
    const worker = new Worker(
      name,
      async (job) => {
        const done = left-- <= 0;
        taken.push({ id: job.id, name: job.name, data: job.data, made: job.attemptsMade, at: Date.now(), done });
        if (!done) throw new Error("not yet");
        return "done by Node";
      },
      { connection },
    );
    await worker.waitUntilReady();
    workers.push(worker);
  },
  rest: async () => {
    await Promise.all(workers.splice(0).map((worker) => worker.close()));
    return taken.splice(0);
  },
};
const workers = [];

for await (const line of createInterface({ input: process.stdin })) {
  const asked = JSON.parse(line);
  try {
    console.log(JSON.stringify({ answer: (await does[asked.do](asked)) ?? null }));
  } catch (error) {
    console.log(JSON.stringify({ error: String(error) }));
  }
}
await does.rest();
await Promise.all([...queues.values()].map((each) => each.close()));
connection.disconnect();
