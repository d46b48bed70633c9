#pragma once

#include <exception>
#include <new>
#include <string>
#include <system_error>

#include "configuration.hpp"
#include "weir/core/error.hpp"

namespace weir_train {

/// The options on which the memory of a run depends, and how much could not be had where that is known.
inline std::string out_of_memory_text(Configuration const& c, std::bad_alloc const& error) {
  std::string text;
  if (c.model == ModelKind::cnn) {
    text = "--model cnn";
  } else {
    for (std::size_t const width : c.hidden)
      text += (text.empty() ? "--hidden " : ",") + std::to_string(width);
  }
  text += ", --batch " + std::to_string(c.batch) + ", --workers " + std::to_string(c.workers) + ", --ranks " +
          std::to_string(c.ranks) + ": out of memory";
  if (auto const* known = dynamic_cast<weir::OutOfMemory const*>(&error))
    text += " when " + std::to_string(known->bytes()) + " bytes were asked for";
  return text + "; smaller ones would be right";
}

/// Whether it is what a thread that cannot be made has thrown.
inline bool is_lack_of_threads(std::exception const& error) {
  auto const* const system = dynamic_cast<std::system_error const*>(&error);
  return system != nullptr && system->code() == std::errc::resource_unavailable_try_again;
}

inline std::string out_of_threads_text(Configuration const& c) {
  std::string text = "--ranks " + std::to_string(c.ranks) + ", --workers " + std::to_string(c.workers);
  if (c.pipeline) text += ", --pipeline-workers " + std::to_string(c.pipeline->workers);
  return text + ", --threads " + std::to_string(c.threads) +
         ": no more threads can be made; fewer would be right";
}

/// What is wrong, and what would be right.
inline std::string error_text(Configuration const& c, std::exception const& error) {
  if (auto const* memory = dynamic_cast<std::bad_alloc const*>(&error)) return out_of_memory_text(c, *memory);
  if (is_lack_of_threads(error)) return out_of_threads_text(c);
  if (auto const* of_worker = dynamic_cast<weir::WorkerError const*>(&error)) {
    try {
      std::rethrow_exception(of_worker->cause());
    } catch (std::bad_alloc const& memory) {
      return out_of_memory_text(c, memory);
    } catch (...) {  // the worker's text says it
    }
  }
  return error.what();
}

}  // namespace weir_train
