#pragma once

#include <string>

#include "weir/plan/profile.hpp"

namespace weir_plan {

/// A profile in the format "weir-profile-1". What is missing of its times is left `not_measured`, for
/// `weir::validate` to find.
/// Errors: `RunError` that names the file and the JSON path.
weir::Profile read_profile(std::string const& path);

/// The same, from the text of a file.
weir::Profile parse_profile(std::string const& path, std::string const& text);

/// The text of such a file.
std::string profile_text(weir::Profile const& profile);

}  // namespace weir_plan
