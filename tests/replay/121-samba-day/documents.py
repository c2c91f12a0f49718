"""Looks of one day, every 30 s, at a Samba without ages; ids come from a small pool.

On standard error: what really happened, for whoever writes `expected` by hand.
"""
import json
import random
import sys

PLAN = random.Random(11)
DAY = 6 * 3600
TEXT = [(3600, 7200), (12000, 12030), (15000, 15100), (20000, 20010)]  # no ids in these seconds
BLIND = [(5000, 5070), (15050, 15080)]

sessions = []
for number in range(40):
    begin = PLAN.uniform(-3600, 7200)
    while begin < DAY:
        end = begin + PLAN.uniform(300, 6000)
        sessions.append((begin, end, f"user{number:02d}", f"10.0.{number % 7}.{number}"))
        begin = end + PLAN.uniform(70, 3600)


def give_ids():
    """The smallest free id for each session in order of begin, as a server might."""
    ids, busy = {}, []
    for session in sorted(sessions):
        busy = [(end, used) for end, used in busy if end > session[0]]
        used = min(set(range(1, 100)) - {used for _, used in busy})
        busy.append((session[1], used))
        ids[session] = str(used)
    return ids


IDS = give_ids()


def inside(second, spans):
    return any(low <= second < high for low, high in spans)


def time_of(second):
    return f"2026-11-22T{8 + second // 3600:02d}:{second // 60 % 60:02d}:{second % 60:02d}.000Z"


seen = []
for second in range(0, DAY, 30):
    head = {"sharewatch": 1, "server": "fs01", "taken_at": time_of(second)}
    if inside(second, BLIND):
        print(json.dumps({**head, "error": {"text": "smbstatus: killed at its deadline"}}))
        continue
    here = [session for session in sessions if session[0] <= second < session[1]]
    seen.append(set(here))
    rows = [{"client": session[3], "user": session[2]} for session in here]
    if not inside(second, TEXT):
        for row, session in zip(rows, here):
            row["id"] = IDS[session]
    PLAN.shuffle(rows)
    print(json.dumps({**head, "sessions": rows}))

opened = sum(len(now - before) for before, now in zip(seen, seen[1:]))
closed = sum(len(before - now) for before, now in zip(seen, seen[1:]))
print(f"{opened} opened, {closed} closed", file=sys.stderr)
