#include "weir/tensor/bucket_plan.hpp"

#include <doctest/doctest.h>

#include <cstddef>
#include <cstdint>
#include <random>
#include <set>
#include <string>
#include <vector>

namespace {

using weir::BucketPlan;
using weir::ElementType;

std::vector<std::size_t> bytes_of(BucketPlan const& plan) {
  std::vector<std::size_t> bytes;
  for (std::size_t bucket = 0; bucket < plan.size(); ++bucket) bytes.push_back(plan[bucket].bytes());
  return bytes;
}

/// The parameters of ResNet-50, in the order in which the usual implementation registers them.
std::vector<std::size_t> resnet50() {
  std::vector<std::size_t> sizes;
  auto const convolution = [&](std::size_t in, std::size_t out, std::size_t kernel) {
    sizes.push_back(4 * in * out * kernel * kernel);
    sizes.insert(sizes.end(), {4 * out, 4 * out});  // of the batch normalisation
  };
  convolution(3, 64, 7);
  std::size_t in = 64;
  std::size_t const depths[] = {3, 4, 6, 3};
  for (std::size_t stage = 0; stage < 4; ++stage) {
    std::size_t const width = std::size_t{64} << stage;
    for (std::size_t block = 0; block < depths[stage]; ++block) {
      convolution(in, width, 1);
      convolution(width, width, 3);
      convolution(width, 4 * width, 1);
      if (block == 0) convolution(in, 4 * width, 1);
      in = 4 * width;
    }
  }
  sizes.insert(sizes.end(), {4 * 2048 * 1000, 4 * 1000});
  return sizes;
}

template <class Work>
std::string refusal_of(Work const& work) {
  try {
    work();
  } catch (weir::ContractViolation const& error) {
    return error.what();
  }
  return {};
}

}

TEST_CASE("buckets are filled from the last parameter to the first, each up to its cap or beyond") {
  auto const plan = BucketPlan::by_bytes({100, 900, 200, 700, 300, 400}, 500, 1000);
  CHECK(bytes_of(plan) == std::vector<std::size_t>{700, 1800, 100});
  CHECK(plan[0].parameters == std::vector<std::size_t>{4, 5});
  CHECK(plan[1].parameters == std::vector<std::size_t>{1, 2, 3});
  CHECK(plan[2].parameters == std::vector<std::size_t>{0});
  CHECK(plan.elements() == 2600 / 4);
}

TEST_CASE("the buckets of ResNet-50 are those of the reference") {
  auto const sizes = resnet50();
  CHECK(sizes.size() == 161);
  auto const plan = BucketPlan::by_bytes(sizes);
  CHECK(plan.elements() == 25'557'032);
  CHECK(bytes_of(plan) == std::vector<std::size_t>{8'196'000, 31'502'336, 26'255'360, 26'550'272, 9'724'160});
}

TEST_CASE("within a bucket parameters lie in registration order, and every bucket starts at 64 bytes") {
  std::mt19937 random(11);
  for (int round = 0; round < 200; ++round) {
    std::vector<weir::Parameter> parameters(1 + random() % 20);
    for (auto& parameter : parameters)
      parameter = {1 + random() % 50, static_cast<ElementType>(random() % 4)};
    auto const plan = BucketPlan::by_bytes(parameters, random() % 200, random() % 400);
    std::set<std::size_t> seen;
    std::size_t end = 0;
    for (std::size_t bucket = 0; bucket < plan.size(); ++bucket) {
      CHECK(plan[bucket].offset % 64 == 0);
      CHECK(plan[bucket].offset >= end);
      end = plan[bucket].offset + plan[bucket].bytes();
      std::size_t offset = 0;
      for (std::size_t parameter : plan[bucket].parameters) {
        CHECK(seen.insert(parameter).second);
        CHECK((offset == 0 || parameter > plan[bucket].parameters.front()));
        CHECK(plan.parameter(parameter).type == plan[bucket].type);
        CHECK(plan.place(parameter).bucket == bucket);
        CHECK(plan.place(parameter).offset == offset);
        offset += plan.parameter(parameter).elements;
      }
      CHECK(offset == plan[bucket].size);
    }
    CHECK(seen.size() == parameters.size());
    CHECK(plan.gradient_bytes() >= end);
    CHECK(plan.gradient_bytes() % 64 == 0);
  }
}

TEST_CASE("types never share a bucket, and only the first bucket of all has the first cap") {
  std::vector<weir::Parameter> const parameters = {{10, ElementType::float32},
                                                   {10, ElementType::float16},
                                                   {10, ElementType::float32},
                                                   {10, ElementType::float16},
                                                   {10, ElementType::float32}};
  auto const plan = BucketPlan::by_bytes(parameters, 40, 60);
  REQUIRE(plan.size() == 3);
  CHECK(plan[0].parameters == std::vector<std::size_t>{4});
  CHECK(plan[1].parameters == std::vector<std::size_t>{0, 2});
  CHECK(plan[2].parameters == std::vector<std::size_t>{1, 3});
  CHECK(plan[2].bytes() == 40);
}

TEST_CASE("one bucket per parameter, from the last to the first") {
  auto const plan = BucketPlan::per_parameter({{3}, {4}, {5}});
  CHECK(bytes_of(plan) == std::vector<std::size_t>{20, 16, 12});
}

TEST_CASE("sizes in bytes are those of the element type, and one size is a plan too") {
  CHECK(BucketPlan::by_bytes({48}, 1, 1, ElementType::bfloat16).elements() == 24);
  CHECK(BucketPlan::by_bytes({48}).elements() == 12);
  CHECK(BucketPlan::by_bytes({48}, 1, 1, ElementType::float64).elements() == 6);
  CHECK(refusal_of([] {
          BucketPlan::by_bytes({48, 6});
        }) == "BucketPlan::by_bytes: parameter 1 has 6 bytes, which is no multiple of a float32");
}

TEST_CASE("a plan that is listed is checked") {
  std::vector<weir::Parameter> const list = {{1}, {2}, {3, ElementType::float64}};
  CHECK(refusal_of([&] { BucketPlan(list, {{1, 0}, {2}}); }).empty());
  CHECK(refusal_of([&] { BucketPlan(list, {{0, 1}}); }) == "BucketPlan: parameter 2 is in no bucket");
  CHECK(refusal_of([&] {
          BucketPlan(list, {{0, 1}, {2}, {1}});
        }) == "BucketPlan: parameter 1 is in two buckets");
  CHECK(refusal_of([&] {
          BucketPlan(list, {{0, 7}, {1}, {2}});
        }) == "BucketPlan: parameter 7 is not registered");
  CHECK(refusal_of([&] {
          BucketPlan(list, {{7}, {0, 1}, {2}});
        }) == "BucketPlan: parameter 7 is not registered");
  CHECK(refusal_of([&] {
          BucketPlan(list, {{0, 2}, {1}});
        }) == "BucketPlan: parameter 2 differs in type from its bucket");
  CHECK(refusal_of([&] {
          BucketPlan(list, {{0, 1}, {}, {2}});
        }) == "BucketPlan: a bucket without parameters");
}

TEST_CASE("the layout hash is that of the plan, the same on every machine") {
  auto const plan = BucketPlan::by_bytes({100, 900, 200, 700, 300, 400}, 500, 1000);
  CHECK(plan.layout_hash() == BucketPlan::by_bytes({100, 900, 200, 700, 300, 400}, 500, 1000).layout_hash());
  std::set<std::uint64_t> const hashes = {
      plan.layout_hash(),
      BucketPlan::by_bytes({100, 900, 200, 700, 300, 400}, 300, 1000).layout_hash(),
      BucketPlan::by_bytes({100, 900, 200, 700, 400, 300}, 500, 1000).layout_hash(),
      BucketPlan::by_bytes({100, 900, 200, 700, 300}, 500, 1000).layout_hash(),
      BucketPlan::by_bytes({50, 450, 100, 350, 150, 200}, 250, 500, ElementType::float16).layout_hash(),
      BucketPlan::by_bytes({50, 450, 100, 350, 150, 200}, 250, 500, ElementType::bfloat16).layout_hash(),
  };
  CHECK(hashes.size() == 6);
  CHECK(BucketPlan().layout_hash() == 0xcbf29ce484222325u);
  CHECK(BucketPlan::by_bytes({4}).layout_hash() == 0xbe7dc077516854bau);
}
