"""Names that try to forge lines, fields, markup or directions."""
import sys

NAMES = [
    # Parts of a JSON string, as bytes: what stands between the quotes.
    rb"a\nb",
    rb"a\r\nsession-closed",
    rb"a\tb",
    rb"quote\"",
    rb"back/\/slash",
    rb"DOM\\\"]",
    rb"]",
    rb"a|b=c",
    rb"<!channel>",
    rb"@everyone",
    rb"\u202egnp.exe",
    b"\xe2\x80\xae" + b"gnp.exe",
    rb"\u2028line",
    rb"\u001b[2J",
    rb"\u007f\u0085\u009b2J",
    rb"${jndi:ldap://x}",
    rb"</script>",
    rb"  ",
    rb"%s%n",
    rb"\ud83d\ude00",
    b"\xf0\x9f\x98\x80",
]

HEAD = b'{"sharewatch":1,"server":"fs01","taken_at":"2026-11-22T10:00:%02dZ","sessions":['
ROW = b'{"client":"10.0.0.%d","user":"%s","active":%d}'


def look(second, rows):
    sys.stdout.buffer.write(HEAD % second + b",".join(rows) + b"]}\n")


look(0, [])
look(30, [ROW % (i, name, 10) for i, name in enumerate(NAMES, 1)])
