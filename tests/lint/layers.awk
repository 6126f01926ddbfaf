# awk -f tests/lint/layers.awk tests/lint/layers.txt $(git ls-files '*.[ch]')
# layers.txt: one line per room: its name, then the rooms whose headers it may include.
# Lines `only HEADER ROOM/FILE...` name a system header and the sole files that may include it.
FNR == NR {
    if (/^#/ || !NF) next
    if ($1 == "only") { sole[$2] = " "; for (i = 3; i <= NF; i++) sole[$2] = sole[$2] $i " "; next }
    may[$1] = " " $1 " "; for (i = 2; i <= NF; i++) may[$1] = may[$1] $i " "; next
}
/^#include "/ {
    split(FILENAME, here, "/"); split($2, there, /["\/]/)
    if (!(here[1] in may)) { printf "%s: unknown room %s\n", FILENAME, here[1]; bad = 1 }
    else if (!index(may[here[1]], " " there[2] " ")) {
        printf "%s:%d: %s may not include %s\n", FILENAME, FNR, here[1], there[2]; bad = 1
    }
}
/^#include </ {
    h = $2; gsub(/[<>]/, "", h)
    if (h in sole && !index(sole[h], " " FILENAME " ") && FILENAME !~ /^tests\//) {
        printf "%s:%d: <%s> belongs to%s\n", FILENAME, FNR, h, sole[h]; bad = 1
    }
}
END { exit bad }
