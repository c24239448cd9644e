#include "analyze/report/json/partition_json.h"

#include <string>

#include "analyze/report/words/number.h"
#include "analyze/report/words/words.h"
#include "ground/container_path.h"
#include "ground/well_known_ports.h"

namespace tailcap::report {
namespace {

void culprit(JsonWriter& json, const model::Culprit& c, const model::NamedBlockers& named) {
  json.key("what");
  json.text_or_null(what_text(c));
  json.key("request");
  json.text_or_null(c.request.connection != 0 ? id_text(c.request) : std::string{});
  json.key("tid");
  if (c.tid != 0)
    json.number(std::int64_t{c.tid});
  else
    json.null();
  append_group(json, model::group_of(c, named.groups));
  append_peer(json, model::peer_of(c, named.peers));
}

}  // namespace

void append_group(JsonWriter& json, const model::CpuGroup* group) {
  json.key("cgroup");
  if (!group || group->path.empty()) return json.null();
  json.begin_object();
  json.field("path", group->path);
  json.key("quota_ns");
  group->period == 0 ? json.null() : json.number(group->quota);
  json.key("period_ns");
  group->period == 0 ? json.null() : json.number(group->period);
  const ground::ContainerPath container = ground::container_of(group->path);
  json.key("container_id");
  json.text_or_null(container.id);
  json.key("k8s_pod_uid");
  json.text_or_null(container.pod_uid);
  json.end_object();
}

void append_peer(JsonWriter& json, const model::SocketPeer* peer) {
  json.key("peer");
  if (!peer || peer->address.empty()) return json.null();
  json.begin_object();
  json.field("address", peer->address);
  json.key("usual_service");
  json.text_or_null(std::string(ground::service_of_port(peer->port)));
  json.key("pid");
  peer->pid == 0 ? json.null() : json.number(std::uint64_t{peer->pid});
  json.key("process");
  json.text_or_null(peer->process);
  json.end_object();
}

std::string what_text(const model::Culprit& culprit) {
  const int rank = model::rank_of(culprit.label);
  const bool call = culprit.label >= model::Label::down_dns && culprit.label <= model::Label::down_h2fc;
  if (culprit.what == 0 || rank != 1 || culprit.label == model::Label::q_pool || call ||
      culprit.label == model::Label::net_unknown_socket)
    return {};
  return address_text(culprit.what);
}

void append_labels(JsonWriter& json, const model::RequestTable& table, const model::Request& row) {
  const auto parts = table.partitions.parts(row.id);
  json.key("labels");
  if (parts.empty()) {
    json.null();
  } else {
    json.begin_array();
    for (const model::Part& p : parts) {
      json.begin_object();
      json.field("phase", model::name_of(p.phase));
      json.field("label", model::name_of(p.label));
      json.field("evidence", model::name_of(p.evidence));
      json.field("ns", p.time);
      json.end_object();
    }
    json.end_array();
  }
}

void append_culprits(JsonWriter& json, const model::RequestTable& table, const model::Request& row) {
  json.key("culprits");
  if (table.partitions.parts(row.id).empty()) return json.null();
  const model::NamedBlockers named(table.partitions);
  json.begin_array();
  for (const model::Culprit& c : table.partitions.culprits(row.id)) {
    json.begin_object();
    json.field("label", model::name_of(c.label));
    json.field("ns", c.time);
    culprit(json, c, named);
    json.end_object();
  }
  json.end_array();
}

void append_course(JsonWriter& json, const model::Course& course, const model::Request& row,
                   const model::NamedBlockers& named) {
  json.key("course");
  json.begin_array();
  for (const auto& s : course.stretches) {
    json.begin_object();
    json.field("from_ns", (s.from - row.start).count());
    json.field("to_ns", (s.to - row.start).count());
    json.field("label", model::name_of(s.label));
    json.field("evidence", model::name_of(s.evidence));
    culprit(json, s.culprit, named);
    json.end_object();
  }
  json.end_array();
  json.key("calls");
  json.begin_array();
  for (const auto& c : course.calls) {
    json.begin_object();
    json.field("request", id_text(c.request));
    json.field("on_path", c.on_path);
    json.field("slack_ns", c.slack.count());
    json.end_object();
  }
  json.end_array();
}

}  // namespace tailcap::report
