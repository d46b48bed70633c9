#!/bin/sh
# ptxas_report.sh compiler arguments: compiles with -Xptxas=-v, and writes what ptxas says of each kernel to a file
# beside the object file, with .ptxas at its end, instead of to the terminal.
object=
previous=
for argument in "$@"; do
  [ "$previous" != -o ] || object=$argument
  previous=$argument
done
"$@" 2>"$object.ptxas"
status=$?
grep -v -e '^ptxas info ' -e ' bytes stack frame, ' "$object.ptxas" >&2
exit "$status"
