"""Two users of 64 KiB that differ in the last byte; the first one leaves."""
import json

LONG = "A" * 65535
EURO = "\u20ac" * 1400  # 4,200 bytes: 1 KiB ends inside a character


def look(second, users):
    rows = [{"client": "10.0.0.5", "user": user, "active": 100 + second} for user in users]
    print(json.dumps({"sharewatch": 1, "server": "fs01", "sessions": rows,
                      "taken_at": f"2026-11-22T10:00:{second:02d}Z"}))


look(0, [LONG + "1", LONG + "2", "B" * 4096])
look(30, [LONG + "2", "B" * 4096, EURO])
