"""A line one byte longer than a document may be, between two good ones."""
HEAD = '{"sharewatch":1,"server":"fs01","taken_at":"2026-11-22T10:0%d:00Z","sessions":['
LONG = '{"sharewatch":1,"sessions":[],"padding":"%s"}'

print(HEAD % 0 + '{"client":"10.0.0.5","user":"alice","active":60}]}')
print(LONG % ("x" * ((64 << 20) + 1 - len(LONG % ""))))
print(HEAD % 1 + "]}")
