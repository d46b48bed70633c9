#pragma once

#include <exception>

#include "weir/pipeline/pipeline_error.hpp"

template <class Cause>
bool has_cause(weir::PipelineError const& error) {
  try {
    if (error.cause() != nullptr) std::rethrow_exception(error.cause());
  } catch (Cause const&) {
    return true;
  } catch (...) {
  }
  return false;
}
