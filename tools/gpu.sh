#!/bin/sh
# ./dev gpu [build|test|sanitize|bench [NAME]]: proves and measures the CUDA backend on this machine's GPU.
#
# Each part ends within 10 minutes and goes on where it stopped when it is called again; without a part all of them
# run, in that order. What is done is noted in build/gpu/done, and done again once a program has been rebuilt.
#   WEIR_GPU_SECONDS   how long all of it may take; none: as long as it needs
#   WEIR_DEBS          a folder of .deb files with the packages for tests, where they are not installed
#   WEIR_CMAKE         more options for cmake, as -D NCCL_ROOT=folder
#   WEIR_RESULTS       where the JSON goes; bench/results
#   WEIR_COMMIT        what the results are of, where there is no git
# The status is 0 if everything was done, 75 if the time was up before, 77 if there is no GPU, 1 if something failed.
set -u
root=$PWD
state=$root/build/gpu
build=$state/cmake
results=${WEIR_RESULTS:-$root/bench/results}
part_seconds=570
out_of_time=75
no_gpu=77
started=$(date +%s)
jobs=${WEIR_JOBS:-$(nproc)}
failures=
mkdir -p "$state/done" "$state/log" "$state/bench"

# The seconds that the running part has left.
seconds_left() {
  now=$(date +%s)
  left=$((part_started + part_seconds - now))
  if [ -n "${WEIR_GPU_SECONDS:-}" ]; then
    all=$((started + WEIR_GPU_SECONDS - now))
    [ "$all" -ge "$left" ] || left=$all
  fi
  echo "$left"
}

# Whether an item has been done since the programs were built.
is_done() {
  [ -e "$state/done/$1" ] || return 1
  [ -z "$(find "$build/tests" "$build/bin" -maxdepth 2 -type f -perm -u+x -newer "$state/done/$1" | head -n 1)" ]
}

# item NAME SECONDS COMMAND...: runs the command unless it is done, or less than SECONDS are left.
item() {
  name=$1
  needed=$2
  shift 2
  if is_done "$name"; then
    echo "  $name: done before"
    return 0
  fi
  left=$(seconds_left)
  if [ "$left" -lt "$needed" ]; then
    echo "  the time is up before $name: call it again"
    exit $out_of_time
  fi
  begun=$(date +%s)
  timeout "$left" "$@" >"$state/log/$name" 2>&1
  status=$?
  took=$(($(date +%s) - begun))
  case $status in
    0)
      if grep -q '^skipped:' "$state/log/$name"; then
        echo "  $name: $(grep -m 1 '^skipped:' "$state/log/$name")"
      else
        echo "  $name: passed in $took s"
      fi
      touch "$state/done/$name"
      ;;
    124 | 137)
      if [ "$left" -gt $((part_seconds - 60)) ]; then
        echo "  $name: FAILED, it did not end within $left s"
        failures="$failures $name"
      else
        echo "  the time is up during $name: call it again"
        exit $out_of_time
      fi
      ;;
    *)
      echo "  $name: FAILED with status $status after $took s; the end of $state/log/$name:"
      tail -n 40 "$state/log/$name"
      failures="$failures $name"
      ;;
  esac
}

find_cuda() {
  for folder in "$(dirname "$(command -v nvcc || echo /usr/local/cuda/bin/nvcc)")" /usr/local/cuda/bin; do
    [ ! -x "$folder/nvcc" ] || cuda_bin=$folder
  done
  [ -n "${cuda_bin:-}" ] || { echo "skipped: no nvcc" >&2; exit $no_gpu; }
  command -v nvidia-smi >/dev/null || { echo "skipped: no nvidia-smi, so no NVIDIA driver" >&2; exit $no_gpu; }
  query=$(nvidia-smi --query-gpu=compute_cap --format=csv,noheader | head -n 1)
  [ -n "$query" ] || { echo "skipped: nvidia-smi names no GPU" >&2; exit $no_gpu; }
  architecture=$(echo "$query" | tr -d '. ')
}

unpack_debs() {
  [ -n "${WEIR_DEBS:-}" ] || return 0
  mkdir -p "$state/debs"
  for deb in "$WEIR_DEBS"/*.deb; do
    [ -e "$state/debs/${deb##*/}.done" ] && continue
    dpkg -x "$deb" "$state/debs" || exit 1
    touch "$state/debs/${deb##*/}.done"
  done
}

part_build() {
  find_cuda
  unpack_debs
  generator=Ninja
  command -v ninja >/dev/null || generator="Unix Makefiles"
  nccl=${NCCL_ROOT:-$(python3 -c 'import nvidia.nccl as n; print(list(n.__path__)[0])' 2>/dev/null)}
  # shellcheck disable=SC2086  # a list of options
  timeout "$(seconds_left)" cmake --preset cuda -B "$build" -G "$generator" --log-level=NOTICE -D WEIR_MPI=OFF -D WEIR_WARNINGS=OFF \
    -D "CMAKE_CUDA_COMPILER=$cuda_bin/nvcc" -D "CMAKE_CUDA_ARCHITECTURES=$architecture" \
    -D "CMAKE_PREFIX_PATH=$state/debs/usr" ${nccl:+-D "NCCL_ROOT=$nccl"} ${WEIR_CMAKE:-} >"$state/log/configure" 2>&1 ||
    { tail -n 40 "$state/log/configure"; exit 1; }
  timeout "$(seconds_left)" cmake --build "$build" --target gpu --parallel "$jobs" >"$state/log/build" 2>&1
  case $? in
    0) echo "  built for sm_$architecture" ;;
    124) echo "  the time is up: call it again"; exit $out_of_time ;;
    *) grep -m 20 -e error -e FAILED "$state/log/build" || tail -n 40 "$state/log/build"; exit 1 ;;
  esac
}

# The names of the tests with the label gpu.
gpu_tests() {
  ctest --test-dir "$build" --show-only -L '^gpu$' | sed -n 's/^ *Test *#[0-9]*: //p'
}

part_test() {
  export WEIR_REQUIRE_GPU=1
  for test in $(gpu_tests); do
    item "test.$test" 20 ctest --test-dir "$build" --output-on-failure --no-tests=error -R "^$test\$"
  done
}

# sanitize_file TOOL PROGRAM FILE: the tests of one file under one tool of compute-sanitizer.
sanitize_file() {
  output=$state/sanitizer.out
  "$sanitizer" --tool "$1" --error-exitcode 99 "$2" "--source-file=*$3" >"$output" 2>&1
  status=$?
  cat "$output"
  if grep -q 'Device not supported' "$output"; then
    echo "skipped: compute-sanitizer does not support this device here"
    return 0
  fi
  if grep -q 'test cases: *0 |' "$output"; then
    echo "no test of $3 has run"
    return 1
  fi
  return $status
}

part_sanitize() {
  export WEIR_REQUIRE_GPU=1 WEIR_SMALL_CASES=1
  find_cuda
  sanitizer=$(command -v compute-sanitizer || echo "$cuda_bin/compute-sanitizer")
  [ -x "$sanitizer" ] || { echo "  skipped: no compute-sanitizer"; return 0; }
  for tool in memcheck racecheck initcheck synccheck; do
    for program in "$build"/tests/test-gpu-*; do
      suite=${program##*/test-gpu-}
      [ "$suite" != nccl ] || continue  # its kernels are not ours
      for file in $(cd tests && find "$suite" -name '*.test.cu' ! -name 'instantiate.test.cu' | sort); do
        name=sanitize.$tool.$(echo "$file" | tr / -)
        item "$name" 20 sh "$0" sanitize-file "$sanitizer" "$tool" "$program" "$file"
      done
    done
  done
}

part_bench() {
  find_cuda
  [ -z "${1:-}" ] || rm -f "$state"/done/bench.*"$1"*  # what is asked for by name is measured anew
  (measure "${1:-}")
  status=$?
  write_results  # also what was measured before the time was up
  [ "$status" -eq 0 ] || exit $status
}

measure() {
  for program in "$build"/bin/bench-cuda-*"$1"* "$build"/bin/bench-nccl-*"$1"*; do
    [ -x "$program" ] || continue
    name=${program##*/bench-}
    item "bench.$name" 60 "$program" "$state/bench/$name.tsv"
  done
  # shellcheck disable=SC2194  # a constant, held against what was asked for
  case peers in
    *"$1"*)
      if python3 -c 'import torch, sys; sys.exit(not torch.cuda.is_available())' 2>/dev/null; then
        item bench.peers 60 python3 bench/cuda/peers.py "$state/bench/peers.tsv"
      else
        echo "  bench.peers: skipped: no python3 with torch that sees the GPU"
      fi
      ;;
  esac
  finish
}

# One JSON of all that has been measured, and the same as a table.
write_results() {
  cat "$state"/bench/*.tsv >"$state/rows.tsv" 2>/dev/null || { echo "  nothing has been measured"; return 0; }
  device=$(nvidia-smi --query-gpu=name --format=csv,noheader | head -n 1)
  commit=${WEIR_COMMIT:-$(git describe --always --dirty --exclude '*' 2>/dev/null || echo unknown)}
  short=$(echo "$device" | tr 'A-Z ' 'a-z-' | sed 's/^nvidia-//')
  fields=name,driver_version,compute_cap,memory.total,clocks.sm,clocks.mem,clocks.max.sm,clocks.max.mem,power.limit
  nvidia-smi --query-gpu="$fields" --format=csv,noheader -i 0 | tr -s ' ' >"$state/device"
  cuda=$("$cuda_bin/nvcc" --version | sed -n 's/.*release \([0-9.]*\).*/\1/p')
  mkdir -p "$results"
  file=$results/$short-$commit.json
  awk -v fields="$fields" -v device="$(cat "$state/device")" -v cuda="$cuda" -v commit="$commit" \
    -v date="$(date -u +%Y-%m-%d)" -f tools/results_json.awk "$state/rows.tsv" >"$file"
  awk -f tools/results_table.awk "$state/rows.tsv" | tee "${file%.json}.txt"
  echo "written to ${file#"$root"/}"
}

run_part() {
  part=$1
  shift
  echo "== gpu $part"
  part_started=$(date +%s)
  "part_$part" "$@"
}

finish() {
  [ -z "$failures" ] || { echo "failed:$failures" >&2; exit 1; }
}

# A part with failures of its own only.
run_alone() {
  failures=
  run_part "$1"
  finish
}

case ${1:-all} in
  build | test | sanitize | bench) run_part "$@"; finish ;;
  sanitize-file) sanitizer=$2; sanitize_file "$3" "$4" "$5" ;;
  all)
    late=
    for part in build test sanitize bench; do
      (run_alone "$part")
      case $? in
        0) ;;
        "$out_of_time") late="$late $part" ;;
        "$no_gpu") exit $no_gpu ;;
        *) failures="$failures $part"; [ "$part" != build ] || break ;;
      esac
    done
    finish
    [ -z "$late" ] || { echo "not finished:$late" >&2; exit $out_of_time; }
    ;;
  *)
    echo "./dev gpu: there is no part '$1': build, test, sanitize, bench [NAME]" >&2
    exit 2
    ;;
esac
