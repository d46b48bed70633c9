# Reads rows twice. Behind a row that says what of ours it is a peer of (cell 12, and how many times as long it should take,
# cell 13), adds one that compares the two, if ours has been measured in the same case.
BEGIN { FS = OFS = "\t" }
NR == FNR { median[$1 FS $2] = $3; next }
{
  print
  ours = $12 == "" ? 0 : median[$1 FS $12]
  if (ours <= 0) next
  ratio = $3 / ours
  goal = $13 == "" ? "" : "ratio >= " $13
  met = $13 == "" ? "" : (ratio >= $13 ? "yes" : "no")
  print $1, $2, $3, $4, $5, $6, $12, ours, sprintf("%.6g", ratio), goal, met
}
