#include "profile_file.hpp"

#include <string>

#include "json_node.hpp"
#include "json_text.hpp"
#include "weir_train/read_file.hpp"

namespace weir_plan {
namespace {

constexpr char const* format = "weir-profile-1";

void read_number(JsonNode const& node, char const* name, double& number) {
  if (node.has(name)) number = node[name].number();
}

weir::ProfilePoint read_point(JsonNode const& node) {
  weir::ProfilePoint point{.workers = node.object()["workers"].count()};
  read_number(node, "data_ms", point.data_ms);
  read_number(node, "forward_ms", point.forward_ms);
  read_number(node, "backward_ms", point.backward_ms);
  read_number(node, "update_ms", point.update_ms);
  read_number(node, "copy_ms", point.copy_ms);
  return point;
}

weir::LocalBatchProfile read_local_batch(JsonNode const& node) {
  weir::LocalBatchProfile batch{.size = node.object()["size"].count(),
                                .max_workers = node["max_workers"].count()};
  node["points"].for_each([&](JsonNode const& point) { batch.points.push_back(read_point(point)); });
  return batch;
}

weir::DeviceProfile read_device(JsonNode const& node) {
  weir::DeviceProfile device{.name = node.object()["name"].text()};
  node.of_device(device.name)["local_batches"].for_each(
      [&](JsonNode const& batch) { device.local_batches.push_back(read_local_batch(batch)); });
  return device;
}

weir::ServerProfile read_server(JsonNode const& node) {
  weir::ServerProfile server{.server = node.object()["server"].text(), .device = node["device"].text()};
  JsonNode const of_device = node.of_device(server.device);
  server.count = of_device["count"].count();
  read_number(of_device, "intra_bytes_per_second", server.intra_bytes_per_second);
  read_number(of_device, "inter_bytes_per_second", server.inter_bytes_per_second);
  return server;
}

weir::AllReduceProfile read_all_reduce(JsonNode const& node) {
  weir::AllReduceProfile all_reduce;
  if (!node.object().has("samples_ms")) {
    all_reduce.p = node["p"].number();
    all_reduce.q = node["q"].number();
    return all_reduce;
  }
  node["samples_ms"].for_each([&](JsonNode const& sample) {
    std::vector<double> pair;
    sample.for_each([&](JsonNode const& number) { pair.push_back(number.number()); });
    if (pair.size() != 2) sample.refuse_type("[ideal, measured]");
    all_reduce.samples_ms.push_back({pair[0], pair[1]});
  });
  if (all_reduce.samples_ms.empty()) node["samples_ms"].refuse("empty; two or more samples would be right");
  return all_reduce;
}

Json all_reduce_json(weir::AllReduceProfile const& all_reduce) {
  if (all_reduce.samples_ms.empty()) return {{"p", all_reduce.p}, {"q", all_reduce.q}};
  Json samples = Json::array();
  for (auto const& [ideal, measured] : all_reduce.samples_ms)
    samples.push_back(Json::array({ideal, measured}));
  return {{"samples_ms", samples}};
}

Json device_json(weir::DeviceProfile const& device) {
  Json batches = Json::array();
  for (weir::LocalBatchProfile const& batch : device.local_batches) {
    Json points = Json::array();
    for (weir::ProfilePoint const& point : batch.points) {
      points.push_back({{"workers", point.workers},
                        {"data_ms", point.data_ms},
                        {"forward_ms", point.forward_ms},
                        {"backward_ms", point.backward_ms},
                        {"update_ms", point.update_ms},
                        {"copy_ms", point.copy_ms}});
    }
    batches.push_back({{"size", batch.size}, {"max_workers", batch.max_workers}, {"points", points}});
  }
  return {{"name", device.name}, {"local_batches", batches}};
}

}  // namespace

weir::Profile parse_profile(std::string const& path, std::string const& text) {
  Json const json = parse_json(path, text);
  JsonNode const root(json, path);
  if (root.object()["format"].text() != format) root["format"].refuse_type(std::string("\"") + format + "\"");
  weir::Profile profile;
  if (root.has("model")) profile.model = root["model"].text();
  if (root.has("rounding")) {
    std::string const rounding = root["rounding"].text();
    if (rounding != "reference" && rounding != "none")
      root["rounding"].refuse_type("\"reference\" or \"none\"");
    profile.rounding = rounding == "none" ? weir::ProfileRounding::none : weir::ProfileRounding::reference;
  }
  root["buckets_mib"].for_each([&](JsonNode const& size) { profile.buckets_mib.push_back(size.number()); });
  read_number(root, "bucket_cap_mib", profile.bucket_cap_mib);
  read_number(root, "buffer_sync_ms", profile.buffer_sync_ms);
  if (root.has("allreduce")) {
    JsonNode const all_reduce = root["allreduce"];
    if (all_reduce.object().has("inter")) profile.inter = read_all_reduce(all_reduce["inter"]);
    if (all_reduce.has("intra")) profile.intra = read_all_reduce(all_reduce["intra"]);
  }
  root["devices"].for_each([&](JsonNode const& device) { profile.devices.push_back(read_device(device)); });
  root["cluster"].for_each([&](JsonNode const& server) { profile.cluster.push_back(read_server(server)); });
  return profile;
}

weir::Profile read_profile(std::string const& path) {
  return weir_train::read_file(path, [&](std::string const& text) { return parse_profile(path, text); });
}

std::string profile_text(weir::Profile const& profile) {
  bool const is_exact = profile.rounding == weir::ProfileRounding::none;
  Json json = {{"format", format},
               {"model", profile.model},
               {"rounding", is_exact ? "none" : "reference"},
               {"buckets_mib", profile.buckets_mib},
               {"bucket_cap_mib", profile.bucket_cap_mib},
               {"buffer_sync_ms", profile.buffer_sync_ms},
               {"allreduce", Json::object()},
               {"devices", Json::array()},
               {"cluster", Json::array()}};
  if (profile.inter.is_given()) json["allreduce"]["inter"] = all_reduce_json(profile.inter);
  if (profile.intra.is_given()) json["allreduce"]["intra"] = all_reduce_json(profile.intra);
  for (weir::DeviceProfile const& device : profile.devices) json["devices"].push_back(device_json(device));
  for (weir::ServerProfile const& server : profile.cluster) {
    Json entry = {{"server", server.server}, {"device", server.device}, {"count", server.count}};
    auto const add = [&entry](char const* name, double value) {
      if (value == value) entry[name] = value;
    };
    add("intra_bytes_per_second", server.intra_bytes_per_second);
    add("inter_bytes_per_second", server.inter_bytes_per_second);
    json["cluster"].push_back(entry);
  }
  return json.dump(2) + "\n";
}

}  // namespace weir_plan
