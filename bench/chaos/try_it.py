import asyncio
import sys
import tempfile
import time
from pathlib import Path

from bench.chaos.company import opened
from bench.chaos.crowd import crowd_of, staff_among
from bench.chaos.verdict import judge, settled
from bot.points import POINTS


async def main(people, bursts, points):
    folder = Path(tempfile.mkdtemp())
    staff = staff_among(people)
    t = time.time()
    async with opened(folder, points=points, staff=staff) as company:
        print("open", time.time() - t)
        crowd = crowd_of(company, people, staff)
        await crowd.write(bursts)
        print("written", time.time() - t, crowd.posts, crowd.refused, company.deaths)
        while company.agenda and time.time() - t < 100:
            await crowd.write(1)
        print("agenda", time.time() - t, company.agenda)
        try:
            await settled(company, 60)
        except TimeoutError:
            r = company.redis
            print("open", await r.zcard("recado:open"), "resend", await r.zrange("recado:resend", 0, -1, withscores=True), "jobs", [(q, s, await r.llen(f"bull:{q}:{s}")) for q in ("llm", "notification") for s in ("wait", "active")], await r.zcard("bull:llm:delayed"), await r.zcard("bull:llm:failed"))
            for q in ("llm", "notification"):
                for j in await r.lrange(f"bull:{q}:active", 0, -1):
                    print(q, j, await r.hgetall(f"bull:{q}:{j}"), await r.pttl(f"bull:{q}:{j}:lock"), await r.smembers(f"bull:{q}:stalled"), await r.pttl(f"bull:{q}:stalled-check"))
                    to = (await r.hgetall(f"bull:{q}:{j}")).get("data", "")
                    import json
                    phone = json.loads(to).get("to") if to else None
                    c = await r.get(f"recado:identity:{phone}")
                    print(phone, c, [(k, await r.pttl(k)) async for k in r.scan_iter(f"*{c}*")])
            names = await r.zrange("recado:open", 0, 5)
            for n in names:
                print(n, "waiting", await r.llen(f"recado:{{{n}}}:waiting"), "lease", await r.ttl(f"recado:{{{n}}}:lease"), "turn", await r.hgetall(f"recado:{{{n}}}:turn"), "outbox", await r.llen(f"recado:{{{n}}}:outbox"))
                print([c async for c in r.scan_iter(f"*{n}*")][:30])
            print("requests", len(company.models.requests), "accepted", len(company.meta.accepted), time.time()-t)
            import os
            os.system(f"cd {folder}; tail -n 2 *.log; grep -h '\"level\": \"\(warning\|error\)' *.log | grep -o 'event\": \"[a-z_]*' | sort | uniq -c")
        print("settled", time.time() - t)
        v = await judge(company, crowd)
        print(v.messages, v.replies, v.effects, v.faults, company.deaths, len(company.models.requests), crowd.late)
    print(folder)


if __name__ == "__main__":
    asyncio.run(main(int(sys.argv[1]), int(sys.argv[2]), POINTS if len(sys.argv) < 4 else ()))
