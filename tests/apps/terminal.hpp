#pragma once

#include <pty.h>
#include <unistd.h>

#include <string>
#include <thread>

#include "program.hpp"

/// Runs a program of this project whose standard error, and nothing else, is a terminal.
inline ProgramResult run_program_on_terminal(std::string const& name, std::string const& arguments) {
  int reader = -1, terminal = -1;
  char path[256];
  if (::openpty(&reader, &terminal, path, nullptr, nullptr) != 0) return {};
  std::string error;
  // A terminal holds little that nobody has read.
  std::thread reading([&] {
    char piece[4096];
    for (ssize_t got; (got = ::read(reader, piece, sizeof piece)) > 0;)
      error.append(piece, static_cast<std::size_t>(got));
  });
  ProgramResult result =
      run_command("{ " WEIR_PROGRAM_DIR "/" + name + " " + arguments + " 2>" + path + "; }");
  ::close(terminal);  // ends the reading
  reading.join();
  ::close(reader);
  result.error = error;
  return result;
}
