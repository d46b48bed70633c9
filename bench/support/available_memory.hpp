#pragma once

#include <fstream>
#include <limits>
#include <string>

/// How much memory there is for one more program, in bytes; unlimited where the system does not say.
inline double available_memory() {
  std::ifstream file("/proc/meminfo");
  std::string name, unit;
  for (double kibibytes = 0; file >> name >> kibibytes && std::getline(file, unit);)
    if (name == "MemAvailable:") return 1024.0 * kibibytes;
  return std::numeric_limits<double>::infinity();
}
