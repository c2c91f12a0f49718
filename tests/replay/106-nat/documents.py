"""2,000 rows of one key: pairs of one age, four seconds from pair to pair."""
import json

AGES = [40 + 4 * (i // 2) for i in range(2000)]
GONE = [2040, 2040, 3040]


def look(second, ages):
    rows = [{"client": "192.0.2.1", "user": "svc", "active": age} for age in ages]
    print(json.dumps({"sharewatch": 1, "server": "fs01", "sessions": rows,
                      "taken_at": f"2026-11-22T10:00:{second:02d}Z"}))


look(0, AGES)
for age in GONE:
    AGES.remove(age)
look(30, [25, 20] + [age + 30 for age in reversed(AGES)])
look(45, [40, 35] + [age + 45 for age in AGES])
