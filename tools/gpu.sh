#!/bin/sh
# ./dev gpu [build|test|sanitize|bench [NAME]]: proves and measures the CUDA backend on this machine's GPU.
#
# Each part ends within 10 minutes and goes on where it stopped when it is called again; without a part all of them
# run, in that order. What is done is noted in build/gpu/done, and done again once a program has been rebuilt.
# The nvcc is the one on the PATH, or that of /usr/local/cuda where that is too old.
#   WEIR_GPU_SECONDS   how long all of it may take; none: as long as it needs, a part again until it is done
#   WEIR_DEBS          a folder of .deb files with the packages for tests, where they are not installed
#   WEIR_CMAKE         more options for cmake, as -D NCCL_ROOT=folder
#   WEIR_RESULTS       where the JSON goes; bench/results
#   WEIR_COMMIT        what the results are of, where there is no git
# The status is 0 if everything was done, 75 if the time was up before, 77 if there is no GPU, 1 if something failed.
set -u
cd "$(dirname "$0")/.." || exit 1
root=$PWD
state=$root/build/gpu
build=$state/cmake
results=${WEIR_RESULTS:-$root/bench/results}
part_seconds=570
out_of_time=75
no_gpu=77
oldest_cuda=1204
started=$(date +%s)
jobs=${WEIR_JOBS:-$(nproc)}
failures=
mkdir -p "$state/done" "$state/log" "$state/bench"

# The seconds that the running part has left, at least 1: to `timeout` 0 is no limit.
seconds_left() {
  now=$(date +%s)
  left=$((part_started + part_seconds - now))
  if [ -n "${WEIR_GPU_SECONDS:-}" ]; then
    all=$((started + WEIR_GPU_SECONDS - now))
    [ "$all" -ge "$left" ] || left=$all
  fi
  [ "$left" -ge 1 ] || left=1
  echo "$left"
}

# within SECONDS COMMAND...: 124 or 137 if the time was up.
within() {
  limit=$1
  shift
  timeout -k 10 "$limit" "$@"
}

# Ends a part that has to be called again, or that has failed.
end_late() {
  echo "  $1: call it again"
  finish
  exit $out_of_time
}

# Whether a file has been written since the programs were built.
is_current() {
  [ -e "$1" ] || return 1
  [ -z "$(find "$build/tests" "$build/bin" -maxdepth 2 -type f -perm -u+x -newer "$1" | head -n 1)" ]
}

# item NAME SECONDS COMMAND...: runs the command unless it is done, or less than SECONDS are left.
item() {
  name=$1
  needed=$2
  shift 2
  if is_current "$state/done/$name"; then
    echo "  $name: done before"
    return 0
  fi
  if is_current "$state/done/$name.endless"; then  # it would keep the others from their turn at each call
    echo "  $name: FAILED before, it did not end; rm build/gpu/done/$name.endless to try it again"
    failures="$failures $name"
    return 0
  fi
  left=$(seconds_left)
  [ "$left" -ge "$needed" ] || end_late "the time is up before $name"
  begun=$(date +%s)
  within "$left" "$@" >"$state/log/$name" 2>&1
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
        touch "$state/done/$name.endless"
        failures="$failures $name"
      else
        end_late "the time is up during $name"
      fi
      ;;
    *)
      echo "  $name: FAILED with status $status after $took s; the end of $state/log/$name:"
      tail -n 40 "$state/log/$name"
      failures="$failures $name"
      ;;
  esac
}

# The version of an nvcc as one number; 12.4 is 1204.
version_of() {
  "$1" --version 2>/dev/null | sed -n 's/.*release \([0-9]*\)\.\([0-9]*\).*/\1 \2/p' | awk '{ print 100 * $1 + $2 }'
}

find_cuda() {
  cuda_bin=
  for nvcc in "$(readlink -f "$(command -v nvcc)" 2>/dev/null)" /usr/local/cuda/bin/nvcc; do
    # A link to ccache does not say where CUDA is.
    if [ ! -x "$nvcc" ] || [ "${nvcc##*/}" != nvcc ]; then continue; fi
    version=$(version_of "$nvcc")
    [ "${version:-0}" -ge $oldest_cuda ] || { echo "  $nvcc is older than CUDA 12.4" >&2; continue; }
    cuda_bin=${nvcc%/nvcc}
    break
  done
  [ -n "$cuda_bin" ] || { echo "skipped: no nvcc of CUDA 12.4 or later" >&2; exit $no_gpu; }
  command -v nvidia-smi >/dev/null || { echo "skipped: no nvidia-smi, so no NVIDIA driver" >&2; exit $no_gpu; }
  # Without a driver it says so on standard output.
  capability=$(nvidia-smi --query-gpu=compute_cap --format=csv,noheader 2>/dev/null | head -n 1 | tr -d '. ')
  case $capability in
    '' | *[!0-9]*) echo "skipped: nvidia-smi names no GPU" >&2; exit $no_gpu ;;
  esac
  # An nvcc that does not know the GPU yet compiles for the latest before it, which the driver translates.
  architecture=$("$cuda_bin/nvcc" --list-gpu-arch | sed -n 's/^compute_\([0-9]*\)$/\1/p' |
    awk -v wanted="$capability" '$1 <= wanted && $1 > best { best = $1 } END { print best }')
  [ -n "$architecture" ] || { echo "skipped: $cuda_bin/nvcc has nothing for sm_$capability" >&2; exit $no_gpu; }
  # What only 9.0 has, products by warpgroups, is in code for no other.
  if [ "$capability" = 90 ] && [ "$architecture" = 90 ]; then architecture=90a; fi
}

unpack_debs() {
  [ -n "${WEIR_DEBS:-}" ] || return 0
  mkdir -p "$state/debs"
  for deb in "$WEIR_DEBS"/*.deb; do
    [ -e "$deb" ] || { echo "  WEIR_DEBS: there is no .deb file in $WEIR_DEBS" >&2; exit 1; }
    [ ! -e "$state/debs/${deb##*/}.done" ] || continue
    dpkg -x "$deb" "$state/debs" || exit 1
    touch "$state/debs/${deb##*/}.done"
  done
}

part_build() {
  find_cuda
  rm -f "$state/built"
  unpack_debs
  generator=Ninja
  command -v ninja >/dev/null || generator="Unix Makefiles"
  nccl=${NCCL_ROOT:-$(python3 -c 'import nvidia.nccl as n; print(list(n.__path__)[0])' 2>/dev/null)}
  # shellcheck disable=SC2086  # a list of options
  within "$(seconds_left)" cmake --preset cuda -B "$build" -G "$generator" --log-level=NOTICE -D WEIR_MPI=OFF \
    -D WEIR_WARNINGS=OFF -D "CUDAToolkit_ROOT=${cuda_bin%/bin}" -D "CMAKE_CUDA_COMPILER=$cuda_bin/nvcc" \
    -D "CMAKE_CUDA_ARCHITECTURES=$architecture" -D "CMAKE_PREFIX_PATH=$state/debs/usr" ${nccl:+-D "NCCL_ROOT=$nccl"} \
    ${WEIR_CMAKE:-} >"$state/log/configure" 2>&1 || { tail -n 40 "$state/log/configure"; exit 1; }
  within "$(seconds_left)" cmake --build "$build" --target gpu --parallel "$jobs" >"$state/log/build" 2>&1
  case $? in
    0) say_what_is_built ;;
    124 | 137) end_late "the time is up" ;;
    *) grep -m 20 -e error -e FAILED "$state/log/build" || tail -n 40 "$state/log/build"; exit 1 ;;
  esac
}

say_what_is_built() {
  echo "  built for sm_$architecture with $cuda_bin/nvcc"
  [ -e "$build/tests/test-gpu-apps" ] || echo "  left out, no cuBLAS is found: weir-train --device cuda and what needs it"
  [ -e "$build/tests/test-gpu-nccl" ] || echo "  left out, no NCCL is found: its tests and benchmarks"
  touch "$state/built"
}

need_build() {
  [ -e "$state/built" ] || { echo "  nothing has been built, or not all: ./dev gpu build" >&2; exit 1; }
}

# The files with tests of the program test-gpu-SUITE.
files_of() {
  [ ! -d "tests/$1" ] || (cd tests && find "$1" -name '*.test.cu' ! -name 'instantiate*' | sort)
}

# The names of the tests with the label gpu that are no program of files.
other_gpu_tests() {
  ctest --test-dir "$build" --show-only -L '^gpu$' | sed -n 's/^ *Test *#[0-9]*: //p' | while read -r test; do
    [ -n "$(files_of "${test#gpu.}")" ] || echo "$test"
  done
}

# check_output STATUS FILE: the status of a program of tests that was asked for those of one file.
check_output() {
  if grep -q 'test cases: *0 |' "$output"; then
    echo "no test of $2 has run"
    return 1
  fi
  return "$1"
}

# test_file PROGRAM FILE: the tests of one file, in a process of their own: after a kernel that fails, CUDA refuses
# everything else in its process.
test_file() {
  output=$state/test.out
  "$1" "--source-file=*$2" >"$output" 2>&1
  status=$?
  cat "$output"
  check_output $status "$2"
}

part_test() {
  need_build
  export WEIR_REQUIRE_GPU=1
  for program in "$build"/tests/test-gpu-*; do
    for file in $(files_of "${program##*/test-gpu-}"); do
      item "test.$(echo "$file" | tr / -)" 20 sh tools/gpu.sh test-file "$program" "$file"
    done
  done
  for test in $(other_gpu_tests) house.kernels-do-not-spill; do
    item "test.$test" 20 ctest --test-dir "$build" --output-on-failure --no-tests=error -R "^$test\$"
  done
}

# sanitize_file TOOL PROGRAM FILE: the tests of one file under one tool of compute-sanitizer.
sanitize_file() {
  output=$state/sanitizer.out
  options=
  # Calls that have to fail do so in tests; that they fail is no error of a kernel.
  [ "$1" != memcheck ] || options="--report-api-errors no"
  # shellcheck disable=SC2086  # a list of options
  "$sanitizer" --tool "$1" --error-exitcode 99 $options "$2" "--source-file=*$3" >"$output" 2>&1
  status=$?
  cat "$output"
  if grep -q 'Device not supported' "$output"; then
    echo "skipped: compute-sanitizer does not support this device here"
    return 0
  fi
  check_output $status "$3"
}

part_sanitize() {
  need_build
  export WEIR_REQUIRE_GPU=1 WEIR_SMALL_CASES=1
  find_cuda
  sanitizer=$(command -v compute-sanitizer || echo "$cuda_bin/compute-sanitizer")
  [ -x "$sanitizer" ] || { echo "  skipped: no compute-sanitizer"; return 0; }
  for tool in memcheck racecheck initcheck synccheck; do
    for program in "$build"/tests/test-gpu-*; do
      suite=${program##*/test-gpu-}
      [ "$suite" != nccl ] || continue  # its kernels are not ours
      for file in $(files_of "$suite"); do
        [ "$file" != cuda/runtime_rules.test.cu ] || continue  # no kernel, and calls that the runtime refuses
        name=sanitize.$tool.$(echo "$file" | tr / -)
        item "$name" 20 sh tools/gpu.sh sanitize-file "$sanitizer" "$tool" "$program" "$file"
      done
    done
  done
}

part_bench() {
  need_build
  find_cuda
  [ -z "${1:-}" ] || rm -f "$state"/done/bench.*"$1"*  # what is asked for by name is measured anew
  (measure "${1:-}")
  status=$?
  write_results  # also what was measured before the time was up
  [ "$status" -eq 0 ] || exit $status
}

measure() {
  asked_for=
  for program in "$build"/bin/bench-cuda-*"$1"* "$build"/bin/bench-nccl-*"$1"*; do
    [ -x "$program" ] || continue
    asked_for=1
    name=${program##*/bench-}
    item "bench.$name" 60 "$program" "$state/bench/$name.tsv"
  done
  # shellcheck disable=SC2194  # a constant, held against what was asked for
  case peers in
    *"$1"*)
      asked_for=1
      if python3 -c 'import torch, sys; sys.exit(not torch.cuda.is_available())' 2>/dev/null; then
        item bench.peers 60 python3 bench/cuda/peers.py "$state/bench/peers.tsv"
      else
        echo "  bench.peers: skipped: no python3 with torch that sees the GPU"
      fi
      ;;
  esac
  [ -n "$asked_for" ] || { echo "  no benchmark has '$1' in its name" >&2; exit 1; }
  finish
}

# One JSON of all that has been measured, the same as a table, and what the compiler says of the kernels.
write_results() {
  for rows in "$state"/bench/*.tsv; do  # of these programs only, not of others before them
    ! is_current "$rows" || cat "$rows"
  done >"$state/measured.tsv"
  awk -f tools/results_peers.awk "$state/measured.tsv" "$state/measured.tsv" >"$state/rows.tsv"
  [ -s "$state/rows.tsv" ] || { echo "  nothing has been measured"; return 0; }
  device=$(nvidia-smi --query-gpu=name --format=csv,noheader | head -n 1)
  commit=${WEIR_COMMIT:-$(git describe --always --dirty --exclude '*' 2>/dev/null || echo unknown)}
  short=$(echo "$device" | tr '[:upper:]' '[:lower:]' | tr -cs 'a-z0-9\n' - | sed 's/^nvidia-//')
  fields=name,driver_version,compute_cap,memory.total,clocks.sm,clocks.mem,clocks.max.sm,clocks.max.mem,power.limit
  nvidia-smi --query-gpu="$fields" --format=csv,noheader -i 0 | tr -s ' ' >"$state/device"
  cuda=$("$cuda_bin/nvcc" --version | sed -n 's/.*release \([0-9.]*\).*/\1/p')
  mkdir -p "$results"
  file=$results/$short-$commit.json
  awk -v fields="$fields" -v device="$(cat "$state/device")" -v cuda="$cuda" -v commit="$commit" \
    -v date="$(date -u +%Y-%m-%d)" -f tools/results_json.awk "$state/rows.tsv" >"$file"
  awk -f tools/results_table.awk "$state/rows.tsv" | tee "${file%.json}.txt"
  echo "written to ${file#"$root"/}"
  # It fails where a kernel spills, which is a test; the report is written all the same.
  cmake -D "BUILD_DIR=$build" -P cmake/CudaResources.cmake >"$state/log/resources" 2>&1
  if [ -s "$build/resources.json" ]; then
    cp "$build/resources.json" "${file%.json}-resources.json"
    echo "registers, shared memory and spills of each kernel: ${file%.json}-resources.json" | sed "s|$root/||"
  else
    tail -n 5 "$state/log/resources"
  fi
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

# Whether a part that ran out of its own time begins again.
has_time_for() {
  [ -n "${WEIR_GPU_SECONDS:-}" ] || return 0
  [ "$1" = build ] && [ $((started + WEIR_GPU_SECONDS - $(date +%s))) -gt 30 ]
}

case ${1:-all} in
  build | test | sanitize | bench) run_part "$@"; finish ;;
  test-file) test_file "$2" "$3" ;;
  sanitize-file) sanitizer=$2; sanitize_file "$3" "$4" "$5" ;;  # as `timeout` wants a program
  all)
    late=
    for part in build test sanitize bench; do
      (run_alone "$part")
      status=$?
      # Nothing can be done without the programs; and where there is no limit, a part goes on until it is done.
      while [ "$status" -eq $out_of_time ] && has_time_for "$part"; do
        (run_alone "$part")
        status=$?
      done
      case $status in
        0) ;;
        "$out_of_time") late="$late $part"; [ "$part" != build ] || break ;;
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
