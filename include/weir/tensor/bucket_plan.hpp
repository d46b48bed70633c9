#pragma once

#include <cstddef>
#include <cstdint>
#include <initializer_list>
#include <string>
#include <utility>
#include <vector>

#include "weir/core/error.hpp"
#include "weir/tensor/element_type.hpp"

namespace weir::inline v1 {

/// A parameter of the model, as far as its gradient is concerned.
struct Parameter {
  std::size_t elements = 0;
  ElementType type = ElementType::float32;  // of the gradient
};

/// Says in which bucket the gradient of each parameter lies, and where. A value: the same on every worker and
/// rank.
///
/// Parameters are numbered in the order of registration. Buckets are numbered in the order in which a
/// backward pass completes them, so bucket 0 holds the last parameters. Within a bucket parameters lie in
/// registration order, so that gradients and a flat vector of weights run in parallel. Each bucket starts at
/// a multiple of 64 bytes. Source: [iidp]
class BucketPlan {
 public:
  struct Bucket {
    std::size_t offset = 0;                    // bytes, in a worker's gradient memory
    std::size_t size = 0;                      // elements
    ElementType type = ElementType::float32;   // of all of them
    std::vector<std::size_t> parameters = {};  // ascending
    std::size_t bytes() const { return size * size_of(type); }
  };

  struct Place {
    std::size_t bucket = 0;
    std::size_t offset = 0;  // elements, in the bucket
  };

  static constexpr std::size_t default_first_cap = std::size_t{1} << 20;
  static constexpr std::size_t default_cap = std::size_t{25} << 20;

  BucketPlan() = default;

  /// Buckets as listed, each a list of parameters.
  /// Errors: `ContractViolation` if a parameter is missing, listed twice or unknown, a bucket is empty, or
  /// its parameters differ in type.
  BucketPlan(std::vector<Parameter> parameters, std::vector<std::vector<std::size_t>> const& buckets)
      : parameters_(std::move(parameters)), places_(parameters_.size(), Place{nowhere, 0}) {
    for (auto const& members : buckets) add_bucket(members);
    for (std::size_t parameter = 0; parameter < places_.size(); ++parameter) {
      if (places_[parameter].bucket == nowhere) refuse("is in no bucket", parameter);
    }
  }

  /// Walks the parameters from the last to the first and closes a bucket as soon as it holds at least `cap`
  /// bytes, the first one `first_cap`. Parameters of different types never share a bucket.
  static BucketPlan by_bytes(std::vector<Parameter> parameters, std::size_t first_cap = default_first_cap,
                             std::size_t cap = default_cap) {
    std::vector<std::vector<std::size_t>> buckets;
    struct Open {
      std::vector<std::size_t> members;
      std::size_t bytes = 0;
    };
    Open open[4];  // one per element type
    auto const close = [&buckets](Open& bucket) {
      if (!bucket.members.empty()) buckets.push_back(std::exchange(bucket, {}).members);
    };
    bool first = true;
    for (std::size_t parameter = parameters.size(); parameter-- > 0;) {
      auto const [elements, type] = parameters[parameter];
      Open& bucket = open[static_cast<std::size_t>(type)];
      bucket.members.insert(bucket.members.begin(), parameter);
      bucket.bytes += elements * size_of(type);
      if (bucket.bytes >= (first ? first_cap : cap)) {
        close(bucket);
        first = false;
      }
    }
    for (Open& bucket : open) close(bucket);
    return BucketPlan(std::move(parameters), buckets);
  }

  /// The same for parameters of one type, given by their sizes. Units: all sizes in bytes.
  /// Errors: `ContractViolation` if a size is no multiple of the element's.
  static BucketPlan by_bytes(std::vector<std::size_t> const& sizes, std::size_t first_cap = default_first_cap,
                             std::size_t cap = default_cap, ElementType type = ElementType::float32) {
    std::vector<Parameter> parameters;
    for (std::size_t bytes : sizes) {
      if (bytes % size_of(type) != 0)
        throw ContractViolation("BucketPlan::by_bytes: parameter " + std::to_string(parameters.size()) +
                                " has " + std::to_string(bytes) + " bytes, which is no multiple of a " +
                                name_of(type));
      parameters.push_back({bytes / size_of(type), type});
    }
    return by_bytes(std::move(parameters), first_cap, cap);
  }

  /// The same for sizes written in braces: `by_bytes({4096, 256})`.
  static BucketPlan by_bytes(std::initializer_list<std::size_t> sizes,
                             std::size_t first_cap = default_first_cap, std::size_t cap = default_cap,
                             ElementType type = ElementType::float32) {
    return by_bytes(std::vector<std::size_t>(sizes), first_cap, cap, type);
  }

  /// One bucket per parameter.
  static BucketPlan per_parameter(std::vector<Parameter> parameters) {
    return by_bytes(std::move(parameters), 0, 0);
  }

  std::size_t size() const { return buckets_.size(); }
  Bucket const& operator[](std::size_t bucket) const { return buckets_[bucket]; }
  std::size_t parameters() const { return parameters_.size(); }
  Parameter const& parameter(std::size_t index) const { return parameters_[index]; }
  Place const& place(std::size_t parameter) const { return places_[parameter]; }

  /// Of all parameters together.
  std::size_t elements() const { return elements_; }
  /// Of one worker's gradients, padding included.
  std::size_t gradient_bytes() const { return gradient_bytes_; }

  /// Equal for equal plans, on every machine.
  std::uint64_t layout_hash() const {
    std::uint64_t hash = 0xcbf29ce484222325u;
    auto const mix = [&hash](std::uint64_t value) { hash = (hash ^ value) * 0x100000001b3u; };
    for (Parameter const& parameter : parameters_) {
      mix(parameter.elements);
      mix(static_cast<std::uint64_t>(parameter.type));
    }
    for (Place const& place : places_) {
      mix(place.bucket);
      mix(place.offset);
    }
    return hash;
  }

 private:
  static constexpr std::size_t nowhere = static_cast<std::size_t>(-1);
  static constexpr std::size_t alignment = 64;

  void add_bucket(std::vector<std::size_t> const& members) {
    if (members.empty()) throw ContractViolation("BucketPlan: a bucket without parameters");
    if (members.front() >= parameters_.size()) refuse("is not registered", members.front());
    Bucket bucket{
        .offset = gradient_bytes_, .type = parameters_[members.front()].type, .parameters = members};
    for (std::size_t parameter : members) {
      if (parameter >= parameters_.size()) refuse("is not registered", parameter);
      if (places_[parameter].bucket != nowhere) refuse("is in two buckets", parameter);
      if (parameters_[parameter].type != bucket.type) refuse("differs in type from its bucket", parameter);
      places_[parameter] = {buckets_.size(), bucket.size};
      bucket.size += parameters_[parameter].elements;
    }
    elements_ += bucket.size;
    gradient_bytes_ += (bucket.bytes() + alignment - 1) / alignment * alignment;
    buckets_.push_back(std::move(bucket));
  }

  [[noreturn]] static void refuse(char const* what, std::size_t parameter) {
    throw ContractViolation("BucketPlan: parameter " + std::to_string(parameter) + " " + what);
  }

  std::vector<Parameter> parameters_;
  std::vector<Place> places_;
  std::vector<Bucket> buckets_;
  std::size_t elements_ = 0;
  std::size_t gradient_bytes_ = 0;
};

}  // namespace weir::inline v1
