#include <doctest/doctest.h>

#include <cstddef>
#include <string>
#include <vector>

#include "sparsify_files.hpp"

using namespace weir_test;

TEST_CASE("weir-sparsify: a bad file is named in one line, and nothing is written") {
  Files const files;
  std::string const good = npy("<f4", std::vector<float>{1, 2, 3});
  std::string const data = bytes_of(std::vector<float>{1, 2, 3});
  struct Bad {
    char const* name;
    std::string bytes;
    char const* text;
  };
  std::string fortran = dictionary("<f4", "3,");
  fortran.replace(fortran.find("False"), 5, "True");
  std::string version = good;
  version[6] = 3;
  Bad const all[] = {
      {"empty.npy", "", "empty"},
      {"text.npy", "1 2 3\n", "does not begin as"},
      {"magic.npy", good.substr(0, 6), "ends in its header"},
      {"header.npy", good.substr(0, 30), "ends in its header"},
      {"cut.npy", good.substr(0, good.size() - 1), "11 bytes of data; 12"},
      {"long.npy", good + "x", "13 bytes of data; 12"},
      {"version.npy", version, "version 3.0"},
      {"big.npy", npy(dictionary(">f4", "3,"), data), "big-endian"},
      {"fortran.npy", npy(fortran, data), "Fortran order"},
      {"integers.npy", npy(dictionary("<i4", "3,"), data), "'<i4'"},
      {"words.npy", npy(dictionary("<u2", "6,"), data), "or --bfloat16"},
      {"objects.npy", npy("{'descr': [('a', '<f4')], 'fortran_order': False, 'shape': (3,), }", data),
       "structures"},
      {"negative.npy", npy(dictionary("<f4", "-3,"), data), "negative side"},
      {"overflow.npy", npy(dictionary("<f4", "4294967296, 4294967296"), data), "overflows"},
      {"digits.npy", npy(dictionary("<f4", "99999999999999999999999,"), data), "overflows"},
      {"number.npy", npy(dictionary("<f4", "3"), data), "not a dictionary"},
      {"list.npy", npy("['descr']", data), "not a dictionary"},
      {"key.npy", npy("{'descr': '<f4', 'shape': (3,)}", data), "not a dictionary"},
      {"type.npy", npy("<f8", std::vector<double>{1, 2, 3}), "3 elements of float64; 3 elements of float32"},
      {"size.npy", npy("<f4", std::vector<float>{1, 2}), "2 elements of float32; 3 elements of float32"}};
  write(files / "good.npy", good);
  for (Bad const& bad : all) write(files / bad.name, bad.bytes);
  std::size_t const before = files.files();
  std::string const common = " --density 0.5 --estimator topk" + files.outputs() + files / "good.npy ";
  for (Bad const& bad : all)
    check_sparsify_refused(common + files / bad.name, 1, {std::string("/") + bad.name, bad.text});
  check_sparsify_refused(common + files / "none.npy", 1, {"none.npy", "cannot be read"});
  check_sparsify_refused(common + files / "", 1, {"cannot be read"});
  check_sparsify_refused(common + "--bfloat16", 1, {"good.npy", "'<u2'"});
  check_sparsify_refused(files / "good.npy --density 0.5 --estimator topk --indices " +
                             files / "i.npy --values " + files / "none/v.npy",
                         1, {"none/v.npy", "cannot be written"});
  CHECK(files.files() == before);
}

TEST_CASE("weir-sparsify: a bad argument is answered by one line that names it, and status 2") {
  Files const files;
  std::string const file = files / "EXP ";
  std::string const density = file + "--density 0.1 ";
  std::string const all = density + "--estimator topk ";
  check_sparsify_refused("--density 0.1 --estimator topk", 2, {"GRAD.npy: missing"});
  check_sparsify_refused(file + "--estimator topk", 2, {"--density: missing"});
  check_sparsify_refused(density, 2, {"--estimator: missing"});
  for (std::string const value : {"0", "1.5", "nan", "-0.1", "x", "inf", "''"})
    check_sparsify_refused(file + "--estimator topk --density " + value, 2,
                           {"--density", "above 0, at most 1"});
  check_sparsify_refused(density + "--estimator top-k", 2, {"--estimator top-k", "histogram", "random-k"});
  for (std::string const value : {"0", "-1", "1.5", "all", "4294967296"})
    check_sparsify_refused(all + "--stages " + value, 2, {"--stages " + value, "whole number"});
  check_sparsify_refused(density + "--estimator gamma --stages 2", 2,
                         {"--stages 2", "1, all that gamma has"});
  check_sparsify_refused(density + "--estimator gamma-approximate --stages adaptive", 2,
                         {"--stages adaptive"});
  for (std::string const value : {"0", "5", "x"})
    check_sparsify_refused(all + "--rule " + value, 2, {"--rule " + value, "from 1 to 4"});
  for (std::string const value : {"0", "1", "nan"})
    check_sparsify_refused(all + "--first-stage " + value, 2,
                           {"--first-stage " + value, "above 0 and below 1"});
  for (std::string const option : {"--capacity", "--steps", "--threads"})
    check_sparsify_refused(all + option + " 0", 2, {option + " 0", "whole number"});
  check_sparsify_refused(all + "--nonfinite drop", 2, {"--nonfinite drop", "skip, propagate or error"});
  check_sparsify_refused(all + "--device gpu", 2, {"--device gpu", "host or cuda"});
  check_sparsify_refused(all + "--report xml", 2, {"--report xml", "text or json"});
  check_sparsify_refused(all + "--values " + files / "a --residual " + files / "a", 2,
                         {"--residual", "--values"});
  check_sparsify_refused(all + "--momentum 0.9", 2, {"--momentum"});
  check_sparsify_refused(all + "--values", 2, {"--values: its value is missing"});
  check_sparsify_refused(all + "--ranks 8", 2, {"--ranks", "--link"});
  check_sparsify_refused(all + "--link 1e-5,1e9", 2, {"--ranks: missing", "--ranks 8"});
  for (std::string const value : {"1e-5", "1e-5,0", "-1,1e9", "1e-5,1e9,1", "x,1e9", "1e-5,inf"})
    check_sparsify_refused(all + "--ranks 8 --link=" + value, 2, {"--link", "would be right"});
  check_sparsify_refused(all + "--ranks 1 --link 1e-5,1e9", 2, {"--ranks 1", "whole number"});
}

TEST_CASE("weir-sparsify: without CUDA, without a GPU and without kernels one line says so") {
  Files const files;
  std::string const arguments = files / "EXP --density 0.1 --device cuda --estimator ";
#if WEIR_PROGRAMS_HAVE_KERNELS
  std::size_t const before = files.files();
  ProgramResult const result = run_command("CUDA_VISIBLE_DEVICES= " WEIR_PROGRAM_DIR "/weir-sparsify " +
                                           arguments + "topk" + files.outputs());
  CHECK(result.status == 1);
  CHECK(result.error.find("--device cuda: no GPU") != std::string::npos);
  CHECK(files.files() == before);
#else
  check_sparsify_refused(arguments + "topk", 2, {"--device cuda", "built without CUDA", "--device host"});
#endif
}
