#pragma once

#include <sys/wait.h>
#include <unistd.h>

#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <string>

/// A folder of its own that is gone afterwards.
class TemporaryFolder {
 public:
  TemporaryFolder() {
    std::string name = (std::filesystem::temp_directory_path() / "weir-apps-XXXXXX").string();
    path_ = ::mkdtemp(name.data());
  }
  ~TemporaryFolder() { std::filesystem::remove_all(path_); }
  TemporaryFolder(TemporaryFolder const&) = delete;
  TemporaryFolder& operator=(TemporaryFolder const&) = delete;

  std::string operator/(std::string const& name) const { return path_ + "/" + name; }
  std::size_t files() const {
    auto const all = std::filesystem::directory_iterator(path_);
    return static_cast<std::size_t>(std::distance(begin(all), end(all)));
  }

 private:
  std::string path_;
};

inline std::string content(std::string const& path) {
  std::ifstream file(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(file), {}};
}

inline void write(std::string const& path, std::string const& bytes) {
  std::ofstream(path, std::ios::binary) << bytes;
}

struct ProgramResult {
  int status = -1;
  std::string out = {};
  std::string error = {};
};

/// Runs a command of the shell.
inline ProgramResult run_command(std::string const& command) {
  TemporaryFolder const folder;
  int const status = std::system(
      (command + " </dev/null >'" + (folder / "out") + "' 2>'" + (folder / "error") + "'").c_str());
  return {WIFEXITED(status) ? WEXITSTATUS(status) : -1, content(folder / "out"), content(folder / "error")};
}

/// Runs a program of this project.
inline ProgramResult run_program(std::string const& name, std::string const& arguments) {
  return run_command(WEIR_PROGRAM_DIR "/" + name + " " + arguments);
}

/// The same in several processes of MPI.
inline ProgramResult run_program_mpi(int processes, std::string const& name, std::string const& arguments) {
  return run_command(
      "OMPI_ALLOW_RUN_AS_ROOT=1 OMPI_ALLOW_RUN_AS_ROOT_CONFIRM=1 OMPI_MCA_rmaps_base_oversubscribe=1 "
      "OMPI_MCA_hwloc_base_binding_policy=none mpirun -n " +
      std::to_string(processes) + " " WEIR_PROGRAM_DIR "/" + name + " " + arguments);
}
