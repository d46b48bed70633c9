#include "weir/stage/bucket_ledger.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <cstddef>
#include <numeric>
#include <random>
#include <thread>
#include <vector>

namespace {

constexpr std::size_t buckets = 4;
using Order = std::array<std::size_t, buckets>;

std::vector<Order> all_orders() {
  Order order;
  std::iota(order.begin(), order.end(), std::size_t{0});
  std::vector<Order> orders;
  do {
    orders.push_back(order);
  } while (std::next_permutation(order.begin(), order.end()));
  return orders;
}

}

TEST_CASE("a bucket is handed out by its last worker, after those before it") {
  weir::BucketLedger ledger(3, 2);
  std::vector<std::size_t> out;
  auto const arrive = [&](std::size_t bucket) {
    ledger.arrive(bucket, [&](std::size_t due) { out.push_back(due); });
  };
  arrive(1);
  arrive(1);
  CHECK(out.empty());  // complete, but bucket 0 comes first
  arrive(0);
  CHECK(out.empty());
  arrive(2);
  arrive(0);
  CHECK(out == std::vector<std::size_t>{0, 1});
  arrive(2);
  CHECK(out == std::vector<std::size_t>{0, 1, 2});
  for (int worker = 0; worker < 2; ++worker) {
    for (std::size_t bucket : {0u, 1u, 2u}) arrive(bucket);
  }
  CHECK(out == std::vector<std::size_t>{0, 1, 2, 0, 1, 2});
}

TEST_CASE("all orders of 4 buckets on 3 workers: each bucket once, in bucket order, by its last worker") {
  auto const orders = all_orders();
  weir::BucketLedger ledger(buckets, 3);
  std::size_t wrong = 0;
  for (Order const& first : orders) {
    for (Order const& second : orders) {
      for (Order const& third : orders) {
        std::array<std::size_t, buckets> reports = {};
        std::size_t next = 0;
        for (std::size_t turn = 0; turn < buckets; ++turn) {
          for (Order const* order : {&first, &second, &third}) {
            ++reports[(*order)[turn]];
            ledger.arrive((*order)[turn],
                          [&](std::size_t due) { wrong += due != next++ || reports[due] != 3; });
          }
        }
        wrong += next != buckets;
      }
    }
  }
  CHECK(wrong == 0);
}

TEST_CASE("workers that arrive at the same time lose no bucket and change no order") {
  constexpr std::size_t workers = 4, steps = 2000;
  weir::BucketLedger ledger(buckets, workers);
  std::vector<std::size_t> out;
  std::atomic<std::size_t> handed_out = 0;
  std::vector<std::thread> threads;
  for (std::size_t worker = 0; worker < workers; ++worker) {
    threads.emplace_back([&, worker] {
      auto const orders = all_orders();
      std::mt19937 random(static_cast<unsigned>(worker));
      for (std::size_t step = 0; step < steps; ++step) {
        for (std::size_t bucket : orders[random() % orders.size()]) {
          ledger.arrive(bucket, [&](std::size_t due) {
            out.push_back(due);  // one call at a time: no lock
            handed_out.fetch_add(1);
          });
        }
        while (handed_out.load() < (step + 1) * buckets) std::this_thread::yield();
      }
    });
  }
  for (auto& thread : threads) thread.join();
  REQUIRE(out.size() == steps * buckets);
  std::size_t wrong = 0;
  for (std::size_t i = 0; i < out.size(); ++i) wrong += out[i] != i % buckets;
  CHECK(wrong == 0);
}
