// What is no file to be read, or is far larger than it should be, is refused before it is read.
#include <doctest/doctest.h>
#include <sys/stat.h>

#include <algorithm>
#include <cstdint>
#include <filesystem>
#include <initializer_list>
#include <string>
#include <vector>

#include "program.hpp"

namespace {

/// A program that has little time and memory, called with a file that it cannot read.
void check_refused(std::string const& call, std::initializer_list<std::string> texts) {
  CAPTURE(call);
  ProgramResult const result = run_command("ulimit -v 2000000; timeout 20 " WEIR_PROGRAM_DIR "/" + call);
  CHECK((result.status == 1 || result.status == 2));
  CHECK(result.out.empty());
  CHECK(result.error.starts_with(call.substr(0, call.find(' ')) + ": "));
  CHECK(std::count(result.error.begin(), result.error.end(), '\n') == 1);
  for (std::string const& text : texts) {
    CAPTURE(result.error);
    CHECK(result.error.find(text) != std::string::npos);
  }
}

/// A call of each reader of files.
std::vector<std::string> readers_of(std::string const& path) {
  return {"weir-train --data idx:" + path + "," + path,
          "weir-train --data text:" + path,
          "weir-sparsify --density 0.1 --estimator topk " + path,
          "weir-plan --batch 512 --profile " + path,
          "weir-schedule --import " + path,
          "weir-design --density 0.5 --outputs 8 --inputs 6 --values " + path + " --multiply " + path +
              " --result " + path + ".result"};
}

/// A file of so many bytes, zeros after `beginning`, that takes no room.
void write_sparse(std::string const& path, std::string const& beginning, std::uint64_t size) {
  write(path, beginning);
  std::filesystem::resize_file(path, size);
}

std::string idx(std::string const& magic_and_numbers) {
  std::string bytes;
  for (char const c : magic_and_numbers) bytes += std::string(3, '\0') + c;
  return bytes;
}

}  // namespace

TEST_CASE("every program refuses a device, a pipe and a folder where a file should be") {
  TemporaryFolder const folder;
  std::string const pipe = folder / "pipe";
  REQUIRE(::mkfifo(pipe.c_str(), 0600) == 0);
  auto const check = [](std::string const& path, std::string const& kind) {
    for (std::string const& call : readers_of(path))
      check_refused(call, {path + ": cannot be read (it is a " + kind + "); a regular file would be right"});
  };
  check("/dev/zero", "device");
  check(pipe, "pipe");
  check(folder / ".", "folder");
  for (char const* target : {"/dev/zero", pipe.c_str()}) {
    std::string const batch = folder / "data_batch_1.bin";
    std::filesystem::remove(batch);
    std::filesystem::create_symlink(target, batch);
    check_refused("weir-train --data cifar10:" + (folder / "."),
                  {"data_batch_1.bin: cannot be read (it is a ", "a regular file would be right"});
  }
}

TEST_CASE("no program writes over what it reads") {
  TemporaryFolder const folder;
  std::string const file = folder / "file", same = folder / "./file";
  write(file, "content");
  std::string const text =
      " " + same + ": it would take the place of what is read; another file would be right";
  auto const check = [&](std::string const& call, std::string const& output) {
    check_refused(call + " " + output + " " + same, {output + text});
    CHECK(content(file) == "content");
  };
  for (char const* output : {"--save", "--trace", "--timeline"}) {
    check("weir-train --data text:" + file, output);
    check("weir-train --data idx:images," + file, output);
  }
  check("weir-train --load " + file, "--trace");
  check("weir-sparsify --density 0.1 --estimator topk first.npy " + file, "--residual");
  check("weir-plan --batch 512 --profile " + file, "--chart");
  check("weir-schedule --import " + file, "--svg");
  std::string const shape = "weir-design --density 0.5 --outputs 8 --inputs 6";
  check(shape + " --values " + file + " --multiply x", "--result");
  check(shape + " --values w --result y --multiply " + file, "--mtx");
  check(shape + " --values w --result y --multiply x --input-gradient dx --gradient " + file,
        "--weight-gradient");
  CHECK(folder.files() == 1);
}

TEST_CASE("a file that is larger than its header says is refused unread") {
  TemporaryFolder const folder;
  constexpr std::uint64_t size = std::uint64_t{1} << 40;
  std::string const images = folder / "images", labels = folder / "labels";
  std::string header = idx({0, 6, 1, 1}), label_header = idx({0, 6});
  header[2] = label_header[2] = '\x8';
  header[3] = '\x3';
  label_header[3] = '\x1';
  std::string const call = "weir-train --batch 1 --data idx:" + images + "," + labels;
  write_sparse(images, header, size);
  check_refused(call, {images + ": too long: 1099511627776 bytes; 6 times 1 bytes after the 16"});
  write_sparse(images, header, 22);
  write_sparse(labels, label_header, size);
  check_refused(call, {labels + ": too long: 1099511627776 bytes; 6 times 1 bytes after the 8"});

  std::string const array = folder / "array.npy";
  std::string const dictionary = "{'descr': '<f4', 'fortran_order': False, 'shape': (2, 3), }\n";
  std::string const beginning = std::string("\x93NUMPY\1\0", 8) + static_cast<char>(dictionary.size());
  write_sparse(array, beginning + '\0' + dictionary, size);
  std::vector<std::string> const calls = readers_of(array);
  std::string const data =
      std::to_string(size - 10 - dictionary.size()) + " bytes of data; 24 would be right";
  check_refused(calls[2], {array + ": it has " + data});
  check_refused(calls[5], {array + ": it has " + data});

  write_sparse(array, std::string("\x93NUMPY\2\0\xff\xff\xff\x7f", 12), size);
  check_refused(calls[2], {array + ": its header has 2147483647 bytes; at most 65536 would be right"});

  write_sparse(folder / "data_batch_1.bin", "\x0a", 3073 * (std::uint64_t{1} << 28));
  check_refused("weir-train --data cifar10:" + (folder / "."),
                {"data_batch_1.bin: the label of record 0 is 10"});
}

TEST_CASE("a file for which memory is too small is named, with its bytes") {
  TemporaryFolder const folder;
  constexpr std::uint64_t size = std::uint64_t{1} << 40;
  std::string const file = folder / "large";
  write_sparse(file, "", size);
  for (std::size_t const reader : {1u, 3u, 4u})
    check_refused(readers_of(file)[reader], {file + ": out of memory for what its 1099511627776 bytes hold",
                                             "a smaller file would be right"});
  std::string const dictionary = "{'descr': '<f4', 'fortran_order': False, 'shape': (274877906944,), }\n";
  std::string const beginning = std::string("\x93NUMPY\1\0", 8) + static_cast<char>(dictionary.size()) + '\0';
  write_sparse(file, beginning + dictionary, size + 10 + dictionary.size());
  check_refused(readers_of(file)[2], {file + ": out of memory for what its ", " bytes hold"});
}

TEST_CASE("weir-train: a model for which memory is too small is named by the options that made it") {
  check_refused("weir-train --epochs 1 --hidden 1048576,1048576",
                {"--hidden 1048576,1048576, --batch 32, --workers 1, --ranks 1: out of memory when ",
                 " bytes were asked for; smaller ones would be right"});
  check_refused("weir-train --epochs 1 --hidden 1048576,1048576 --ranks 2 --batch 8",
                {"--hidden 1048576,1048576, --batch 8, --workers 1, --ranks 2: out of memory"});
  check_refused("weir-train --epochs 1 --model gru --hidden 1048576",
                {"--hidden 1048576, ", "out of memory"});
}
