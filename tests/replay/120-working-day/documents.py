"""Looks of one day, every 30 s, at a server with a bad clock; sessions come and go by a fixed plan.

On standard error: what really happened, for whoever writes `expected` by hand.
"""
import json
import random
import sys

PLAN = random.Random(7)
DAY = 8 * 3600
STEPS = [(4 * 3600 + 11, 3600), (5 * 3600 + 11, -3600)]  # the server's clock, second and by how much
BLIND = [(3000, 3100), (20000, 20400)]
POOR = [(10000, 10200), (25000, 25100)]  # level 10 for a while


def server_clock(second):
    return second * 1.00005 + sum(by for at, by in STEPS if second >= at)


sessions = []
for number in range(32):
    begin = PLAN.uniform(-7200, 3600)
    while begin < DAY:
        end = begin + PLAN.uniform(600, 9000)
        sessions.append((begin, end, f"user{number:02d}", f"10.0.{number // 4}.5"))
        begin = end + PLAN.uniform(60, 7200)


def row(second, session, poor):
    begin, _, user, client = session
    age = int(server_clock(second) - server_clock(begin))
    values = {"client": client, "user": user, "active": age % 2**32, "idle": 0}
    if not poor:
        values.update(opens=1, guest=False, transport="\\\\Device\\\\NetbiosSmb")
    return values


def inside(second, spans):
    return any(low <= second < high for low, high in spans)


def time_of(second):
    return f"2026-11-22T{8 + second // 3600:02d}:{second // 60 % 60:02d}:{second % 60:02d}.250Z"


seen = []
for second in range(0, DAY, 30):
    head = {"sharewatch": 1, "server": "fs01", "taken_at": time_of(second)}
    if inside(second, BLIND):
        print(json.dumps({**head, "error": {"code": 53, "text": "no such host"}}))
        continue
    poor = inside(second, POOR)
    here = [session for session in sessions if session[0] <= second + 0.25 < session[1]]
    seen.append(set(here))
    rows = [row(second + 0.25, session, poor) for session in here]
    PLAN.shuffle(rows)
    print(json.dumps({**head, "level": 10 if poor else 502, "sessions": rows}))

opened = sum(len(now - before) for before, now in zip(seen, seen[1:]))
closed = sum(len(before - now) for before, now in zip(seen, seen[1:]))
print(f"{opened} opened, {closed} closed", file=sys.stderr)
