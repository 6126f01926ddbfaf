"""Turns migration files into a C table: embed.py OUT.c NAME FILE.sql... (build step)."""
import os
import sys

out, name, files = sys.argv[1], sys.argv[2], sorted(sys.argv[3:])
with open(out, "w", encoding="utf-8") as c:
    c.write('/* Generated from migrations/ by db/embed.py. */\n#include "db/migrate.h"\n\n')
    c.write("const struct migration %s[] = {\n" % name)
    for path in files:
        base = os.path.basename(path)
        number, title = base[:-4].split("_", 1)
        c.write('    {%d, "%s",\n' % (int(number), title))
        with open(path, encoding="utf-8") as sql:
            for line in sql:
                text = line.rstrip("\n").replace("\\", "\\\\").replace('"', '\\"')
                if text and not text.startswith("--"):
                    c.write('     "%s\\n"\n' % text)
        c.write("    },\n")
    c.write("    {0},\n};\n")
