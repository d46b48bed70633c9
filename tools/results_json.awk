# Makes one JSON of rows of tab-separated cells: case, what, median, unit, spread, bytes, roof, roof's median, ratio, goal,
# met. Variables: fields and device (what nvidia-smi was asked and answered), cuda, commit, date.
BEGIN {
  FS = "\t"
  printf "{\n \"commit\": \"%s\",\n \"date\": \"%s\",\n \"cuda\": \"%s\",\n \"device\": {", commit, date, cuda
  count = split(fields, names, ",")
  split(device, values, /, */)
  for (i = 1; i <= count; ++i) printf "%s\"%s\": \"%s\"", (i > 1 ? ", " : ""), names[i], values[i]
  printf "},\n \"figures\": ["
  split("case what median unit spread bytes roof roof_median ratio goal met", columns, " ")
  split("text text number text number number text number number text text", kinds, " ")
}
{
  printf "%s\n  {", (NR > 1 ? "," : "")
  separator = ""
  for (i = 1; i <= 11; ++i) {
    if ($i == "") continue
    printf (kinds[i] == "text" ? "%s\"%s\": \"%s\"" : "%s\"%s\": %s"), separator, columns[i], $i
    separator = ", "
  }
  printf "}"
}
END { print "\n ]\n}" }
