"""Invalid UTF-8, NUL and lone surrogates are repaired in what is told; a row never fails a look.."""
import sys

NAMES = [
    # Parts of a JSON string, as bytes: what stands between the quotes.
    b"\xff",
    b"caf\xe9",
    b"\xc0\xaf",
    b"\xe2\x82",
    b"\xed\xa0\x80",
    b"\xf4\x90\x80\x80",
    rb"a\u0000b",
    rb"\ud800",
    rb"\udc00\ud800",
    rb"\ud800x",
]

HEAD = b'{"sharewatch":1,"server":"fs01","taken_at":"2026-11-22T10:00:%02dZ","sessions":['
ROW = b'{"client":"10.0.0.%d","user":"%s","active":%d}'


def look(second, rows):
    sys.stdout.buffer.write(HEAD % second + b",".join(rows) + b"]}\n")


look(0, [])
look(30, [ROW % (i, name, 10) for i, name in enumerate(NAMES, 1)])
