# Counts cmocka's tests in the output of `ctest -V`, whose lines begin with the number of
# their program. Prints one line a program, and the end of what a failed one said. A
# program without cmocka's counts (a replayed corpus) is one test; so is a crash.

function number(line) {
    sub(/^[^0-9]*\] */, "", line)
    return line + 0
}

/^[0-9]+: / {
    id = $1 + 0
    sub(/^[0-9]+: /, "")
    if (/^\[  PASSED  \]/) good[id] += number($0)
    else if (/^\[  FAILED  \] [0-9]+ test/) bad[id] += number($0)
    else if (/^\[  SKIPPED \] [0-9]+ test/) left[id] += number($0)
    if (/^\[ +(RUN|OK) /) next
    text[id, ++lines[id]] = $0
    next
}

/^ *[0-9]+\/[0-9]+ Test +#[0-9]+: / {
    match($0, /#[0-9]+/)
    id = substr($0, RSTART + 1, RLENGTH - 1) + 0
    ok = / Passed /
    if (!ok && !bad[id]) bad[id] = 1
    if (ok && !good[id]) good[id] = 1
    passed += good[id]
    failed += bad[id]
    skipped += left[id]
    if (!ok)
        for (i = lines[id] > 80 ? lines[id] - 80 : 1; i <= lines[id]; i++) print "    " text[id, i]
    print
    fflush()
}

END { printf "%d passed, %d failed, %d skipped\n", passed, failed, skipped }
