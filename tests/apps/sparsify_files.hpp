#pragma once

#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstring>
#include <initializer_list>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "program.hpp"

// weir-sparsify, and files for it.

namespace weir_test {

using Json = nlohmann::ordered_json;

template <class Number>
std::string bytes_of(std::vector<Number> const& numbers) {
  return {reinterpret_cast<char const*>(numbers.data()), numbers.size() * sizeof(Number)};
}

inline std::string npy(std::string const& dictionary, std::string const& data, char version = 1) {
  std::string text = std::string("\x93NUMPY") + version + '\0';
  std::size_t size = dictionary.size() + 1;
  for (int i = 0; i < 2 * version; ++i, size /= 256) text += static_cast<char>(size % 256);
  return text + dictionary + "\n" + data;
}

inline std::string dictionary(std::string const& descr, std::string const& shape) {
  return "{'descr': '" + descr + "', 'fortran_order': False, 'shape': (" + shape + "), }";
}

template <class Number>
std::string npy(std::string const& descr, std::vector<Number> const& numbers) {
  return npy(dictionary(descr, std::to_string(numbers.size()) + ","), bytes_of(numbers));
}

/// The data of a file that the program has written.
template <class Number>
std::vector<Number> read_npy(std::string const& path, std::string const& descr) {
  std::string const bytes = content(path);
  REQUIRE(bytes.size() >= 64);
  std::size_t const header = bytes.find('\n') + 1;
  CHECK(header % 64 == 0);
  std::vector<Number> numbers((bytes.size() - header) / sizeof(Number));
  CHECK(bytes.find(dictionary(descr, std::to_string(numbers.size()) + ",")) == 10);
  if (!numbers.empty()) std::memcpy(numbers.data(), bytes.data() + header, bytes.size() - header);
  return numbers;
}

inline ProgramResult sparsify(std::string const& arguments) {
  return run_program("weir-sparsify", arguments);
}

/// The steps of a run.
inline Json steps(std::string const& arguments) {
  CAPTURE(arguments);
  ProgramResult const result = sparsify("--report json " + arguments);
  INFO(result.error);
  REQUIRE(result.status == 0);
  CHECK(result.error.empty());
  return Json::parse(result.out).at("steps");
}

/// Nothing on standard output, and one line on standard error that holds each of `texts`.
inline void check_sparsify_refused(std::string const& arguments, int status,
                                   std::initializer_list<std::string> texts) {
  CAPTURE(arguments);
  ProgramResult const result = sparsify(arguments);
  CAPTURE(result.error);
  CHECK(result.status == status);
  CHECK(result.out.empty());
  CHECK(result.error.starts_with("weir-sparsify: "));
  CHECK(std::count(result.error.begin(), result.error.end(), '\n') == 1);
  for (std::string const& text : texts) {
    CAPTURE(text);
    CHECK(result.error.find(text) != std::string::npos);
  }
}

inline std::vector<float> grid(std::string const& name) {
  std::vector<float> values(10000);
  for (std::size_t i = 0; i < values.size(); ++i) {
    double const u = (static_cast<double>(i) + 0.5) / 10000.0;
    double const x = name == "EXP"   ? -std::log(u)
                     : name == "GP3" ? (std::pow(u, -0.3) - 1.0) / 0.3
                     : name == "WEI" ? std::pow(-std::log(u), 3.0)
                                     : u;
    values[i] = static_cast<float>(i % 2 == 0 ? x : -x);
  }
  return values;
}

/// The files of the tests.
struct Files : TemporaryFolder {
  Files() {
    for (char const* name : {"EXP", "GP3", "WEI", "UNI"}) write(*this / name, npy("<f4", grid(name)));
  }
  std::string outputs() const {
    return " --indices " + *this / "i.npy" + " --values " + *this / "v.npy" + " --residual " +
           *this / "r.npy ";
  }
};

}  // namespace weir_test
