#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "weir/core/error.hpp"
#include "weir/exec/threshold_state.hpp"
#include "weir/tensor/bucket_plan.hpp"
#include "weir/tensor/element_type.hpp"

// How a sparsifier is written down: its vectors by parameter, so that they fit any buckets of the same
// parameters, and the rest by the bucket's id. `Archive` is that of `state/archive.hpp`.

namespace weir::inline v1 {

inline constexpr std::uint64_t sparsifier_archive_version = 1;

namespace detail {
inline std::string sparsified_buckets(BucketPlan const& plan) {
  return plan.size() == 1 ? "sparsified bucket 0"
                          : "sparsified buckets 0 to " + std::to_string(plan.size() - 1);
}
}  // namespace detail

/// Errors: `ArchiveError` for another version.
template <class Archive>
void check_sparsifier_version(Archive const& archive, BucketPlan const& plan) {
  std::uint64_t const version = archive.template get_value<std::uint64_t>("sparsifier.version", 0);
  if (version != sparsifier_archive_version)
    throw ArchiveError("the version of " + detail::sparsified_buckets(plan) +
                       " differs: " + std::to_string(version) + " in the archive, " +
                       std::to_string(sparsifier_archive_version) + " here");
  (void)archive.text("sparsifier.policy", 0);
}

/// Errors: `ArchiveError` for another policy, stages or density, to which the state of the buckets says
/// nothing.
template <class Archive>
void check_sparsifier_policy(Archive const& archive, BucketPlan const& plan, std::string const& here) {
  std::string const saved(archive.text("sparsifier.policy", 0));
  if (saved != here)
    throw ArchiveError("the policy of " + detail::sparsified_buckets(plan) + " differs: '" + saved +
                       "' in the archive, '" + here +
                       "' here; a load that is not strict starts their thresholds, adaptation and counters "
                       "anew, and keeps what was not sent");
}

/// `values` are those of a whole bucket.
template <class Archive, class Real>
void put_by_parameter(Archive& archive, char const* name, BucketPlan const& plan, std::size_t bucket,
                      std::vector<Real> const& values) {
  for (std::size_t parameter : plan[bucket].parameters)
    archive.put(name, parameter,
                std::span<Real const>(values).subspan(plan.place(parameter).offset,
                                                      plan.parameter(parameter).elements));
}

namespace detail {
/// "300 float64", or what else there is of a parameter.
template <class Archive>
std::string held_of_parameter(Archive const& archive, char const* name, std::size_t parameter) {
  if (!archive.contains(name, parameter)) return "nothing";
  std::string held = "no floating-point numbers";
  for (ElementType type :
       {ElementType::float16, ElementType::bfloat16, ElementType::float32, ElementType::float64}) {
    visit_element(type, [&]<class Element>(Element*) {
      try {
        held = std::to_string(archive.template get<Element>(name, parameter).size()) + ' ' + name_of(type);
      } catch (ArchiveError const&) {
        // of another type
      }
    });
  }
  return held;
}
}  // namespace detail

/// Errors: `ArchiveError` that names the bucket, where a parameter of it is missing, or has another size or
/// type.
template <class Real, class Archive>
void check_by_parameter(Archive const& archive, char const* name, BucketPlan const& plan,
                        std::size_t bucket) {
  for (std::size_t parameter : plan[bucket].parameters) {
    std::size_t const elements = plan.parameter(parameter).elements;
    try {
      (void)archive.template get<Real>(name, parameter, elements);
    } catch (ArchiveError const&) {
      throw ArchiveError("sparsified bucket " + std::to_string(bucket) + ": of parameter " +
                         std::to_string(parameter) + " the archive holds " +
                         detail::held_of_parameter(archive, name, parameter) + " as '" + name + "', " +
                         std::to_string(elements) + ' ' + name_of(element_type_of<Real>) + " would be right");
    }
  }
}

/// Errors: `ArchiveError` where there is something that nobody here would take.
template <class Archive>
void refuse_by_parameter(Archive const& archive, char const* name, BucketPlan const& plan,
                         std::size_t bucket) {
  for (std::size_t parameter : plan[bucket].parameters) {
    if (archive.contains(name, parameter))
      throw ArchiveError("the archive holds '" + std::string(name) + "' of parameter " +
                         std::to_string(parameter) + " in bucket " + std::to_string(bucket) +
                         ", which this recipe would lose");
  }
}

template <class Real, class Archive>
std::vector<Real> get_by_parameter(Archive const& archive, char const* name, BucketPlan const& plan,
                                   std::size_t bucket) {
  std::vector<Real> values;
  values.reserve(plan[bucket].size);
  for (std::size_t parameter : plan[bucket].parameters) {
    auto const saved = archive.template get<Real>(name, parameter);
    values.insert(values.end(), saved.begin(), saved.end());
  }
  return values;
}

namespace detail {
inline constexpr char const* threshold_words = "sparsifier.words";
inline constexpr char const* threshold_numbers = "sparsifier.numbers";
inline constexpr std::size_t threshold_word_count = 16;
inline constexpr std::size_t threshold_number_count = 8 + most_stages + 1;
}  // namespace detail

template <class Archive>
void put_threshold_state(Archive& archive, SparsifyConstants const& constants, std::size_t size,
                         ThresholdState const& state) {
  StageAdaptation const& adaptation = state.adaptation;
  std::uint64_t const directions =
      (adaptation.direction < 0 ? 1u : 0u) | (adaptation.ratio_direction > 0 ? 2u : 0u);
  std::uint64_t const words[detail::threshold_word_count] = {size,
                                                             constants.seed,
                                                             state.adapted_size,
                                                             adaptation.stages,
                                                             directions,
                                                             adaptation.window_calls,
                                                             adaptation.fruitless_moves,
                                                             adaptation.tried[0],
                                                             adaptation.tried[1],
                                                             state.reuse_age,
                                                             state.has_reusable,
                                                             state.quality_calls,
                                                             state.collapsed,
                                                             state.step,
                                                             state.non_finite_steps,
                                                             state.overflow};
  double numbers[detail::threshold_number_count] = {
      state.density,          state.adapted_density,  adaptation.last_mean, adaptation.window_sum,
      adaptation.first_ratio, state.reused_threshold, state.quality_sum,    0.0};
  for (std::size_t stages = 0; stages <= most_stages; ++stages)
    numbers[8 + stages] = adaptation.score[stages];
  archive.put(detail::threshold_words, constants.bucket, std::span(words));
  archive.put(detail::threshold_numbers, constants.bucket, std::span(numbers));
}

/// Errors: `ArchiveError` that names the bucket, for another size or seed, for a number of stages that no
/// state has, and where the state is missing although the archive is of the same buckets.
template <class Archive>
void check_threshold_state(Archive const& archive, SparsifyConstants const& constants, std::size_t size,
                           std::size_t bucket, bool same_buckets) {
  if (!archive.contains(detail::threshold_words, constants.bucket)) {
    if (!same_buckets) return;
    throw ArchiveError("the archive has no state of sparsified bucket " + std::to_string(bucket));
  }
  auto const words = archive.template get<std::uint64_t>(detail::threshold_words, constants.bucket,
                                                         detail::threshold_word_count);
  (void)archive.template get<double>(detail::threshold_numbers, constants.bucket,
                                     detail::threshold_number_count);
  auto const compare = [&](char const* what, std::uint64_t saved, std::uint64_t here) {
    if (saved != here)
      throw ArchiveError("the " + std::string(what) + " of sparsified bucket " + std::to_string(bucket) +
                         " differs: " + std::to_string(saved) + " in the archive, " + std::to_string(here) +
                         " here");
  };
  compare("size", words[0], size);
  compare("seed", words[1], constants.seed);
  if (words[3] < 1 || words[3] > most_stages)
    throw ArchiveError("sparsified bucket " + std::to_string(bucket) + " has " + std::to_string(words[3]) +
                       " stages in the archive, 1 to " + std::to_string(most_stages) + " would be right");
}

/// Leaves `state` as it is where the archive is of other buckets.
template <class Archive>
void get_threshold_state(Archive const& archive, SparsifyConstants const& constants, ThresholdState& state) {
  if (!archive.contains(detail::threshold_words, constants.bucket)) return;
  auto const words = archive.template get<std::uint64_t>(detail::threshold_words, constants.bucket);
  auto const numbers = archive.template get<double>(detail::threshold_numbers, constants.bucket);
  auto const word = [&](std::size_t i) { return static_cast<std::uint32_t>(words[i]); };
  StageAdaptation& adaptation = state.adaptation;
  state.adapted_size = words[2];
  adaptation.stages = word(3);
  adaptation.direction = (words[4] & 1u) != 0 ? -1 : 1;
  adaptation.ratio_direction = (words[4] & 2u) != 0 ? 1 : -1;
  adaptation.window_calls = word(5);
  adaptation.fruitless_moves = word(6);
  adaptation.tried[0] = words[7];
  adaptation.tried[1] = words[8];
  state.reuse_age = word(9);
  state.has_reusable = word(10);
  state.quality_calls = word(11);
  state.collapsed = word(12);
  state.step = words[13];
  state.non_finite_steps = words[14];
  state.overflow = words[15];
  state.density = numbers[0];
  state.adapted_density = numbers[1];
  adaptation.last_mean = numbers[2];
  adaptation.window_sum = numbers[3];
  adaptation.first_ratio = numbers[4];
  state.reused_threshold = numbers[5];
  state.quality_sum = numbers[6];
  for (std::size_t stages = 0; stages <= most_stages; ++stages)
    adaptation.score[stages] = numbers[8 + stages];
}

}  // namespace weir::inline v1
