#pragma once

#include <exception>

#include "weir/core/error.hpp"
#include "weir/pipeline/pipeline_error.hpp"

namespace weir_train {

/// Whether something that went wrong is what the failure of another rank has led to.
inline bool is_consequence(std::exception_ptr const& failure) {
  try {
    std::rethrow_exception(failure);
  } catch (weir::PeerAborted const&) {
    return true;
  } catch (weir::PeerTimeout const&) {
    return true;
  } catch (weir::PipelineError const& error) {
    return error.cause() != nullptr && is_consequence(error.cause());
  } catch (...) {
    return false;
  }
}

}  // namespace weir_train
