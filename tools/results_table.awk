# Makes a Markdown table of the rows that results_json.awk reads.
BEGIN {
  FS = "\t"
  print "| case | what | median | spread | GB/s | beside | ratio | goal | met |"
  print "|---|---|---|---|---|---|---|---|---|"
}
{
  bandwidth = ($6 != "" && $4 == "us" && $3 > 0) ? sprintf("%.0f", $6 / $3 / 1000) : ""
  beside = $7 == "" ? "" : sprintf("%s %.4g", $7, $8)
  ratio = $9 == "" ? "" : sprintf("%.3f", $9)
  printf "| %s | %s | %.4g %s | %.1f %% | %s | %s | %s | %s | %s |\n", $1, $2, $3, $4, 100 * $5, bandwidth, beside, ratio, $10, $11
}
