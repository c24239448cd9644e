#include "analyze/report/json/partition_json.h"

#include <string>

#include "analyze/model/label_group.h"
#include "analyze/report/words/number.h"
#include "analyze/report/words/words.h"
#include "ground/container_path.h"
#include "ground/well_known_ports.h"

namespace tailcap::report {
namespace {

using model::AccountPart;
using model::CpuGroup;
using model::Culprit;
using model::NamedBlockers;
using model::SocketPeer;

const CpuGroup* group_of(const Culprit& c, const NamedBlockers& all) {
  const CpuGroup* group = model::group_of(c, all.groups);
  return group && !group->path.empty() ? group : nullptr;
}
const SocketPeer* peer_of(const Culprit& c, const NamedBlockers& all) {
  const SocketPeer* peer = model::peer_of(c, all.peers);
  return peer && !peer->address.empty() ? peer : nullptr;
}

const Shape<AccountPart, Anywhere>& label_shape() {
  static const Shape<AccountPart, Anywhere> shape{
      "label",
      {
          {"phase", [](auto& p) { return model::name_of(p.phase); }},
          {"label", [](auto& p) { return model::name_of(p.label); }},
          {"evidence", one_of<model::Evidence::sampled>(&AccountPart::evidence)},
          {"ns", &AccountPart::time},
      }};
  return shape;
}

const Shape<Culprit, NamedBlockers>& culprit_shape() {
  static const Shape<Culprit, NamedBlockers> shape{"label_culprit",
                                                   {
                                                       {"label", [](auto& c) { return model::name_of(c.label); }},
                                                       {"ns", &Culprit::time},
                                                       {blocker_shape(), Refer{[](auto& c) { return &c; }}},
                                                   }};
  return shape;
}

}  // namespace

const Description& label_description() { return label_shape(); }
const Description& culprit_description() { return culprit_shape(); }

const Shape<Culprit, NamedBlockers>& blocker_shape() {
  static const Shape<Culprit, NamedBlockers> shape{
      "blocker",
      {
          {"what", [](auto& c, auto& all) { return OrNull{what_text(c, all.locks)}; },
           "the name of a lock, or its address; a device"},
          {"request", or_null(&Culprit::request)},
          {"tid", or_null(&Culprit::tid)},
          {"cgroup", group_shape(), group_of},
          {"peer", peer_shape(), peer_of},
      }};
  return shape;
}

const Shape<CpuGroup, Anywhere>& group_shape() {
  static const Shape<CpuGroup, Anywhere> shape{
      "cgroup",
      {
          {"path", &CpuGroup::path},
          {"quota_ns", [](auto& g) { return when(g.period != 0, g.quota); }, "of CPU time in each period"},
          {"period_ns", or_null(&CpuGroup::period), "null: they changed during the recording"},
          {"container_id", [](auto& g) { return OrNull{ground::container_of(g.path).id}; }},
          {"k8s_pod_uid", [](auto& g) { return OrNull{ground::container_of(g.path).pod_uid}; }},
      }};
  return shape;
}

const Shape<SocketPeer, Anywhere>& peer_shape() {
  static const Shape<SocketPeer, Anywhere> shape{
      "peer",
      {
          {"address", &SocketPeer::address},
          {"usual_service", [](auto& p) { return OrNull{std::string(ground::service_of_port(p.port))}; },
           "of its port"},
          {"pid", or_null(&SocketPeer::pid), "of the recorded process that has that end"},
          {"process", or_null(&SocketPeer::process)},
      }};
  return shape;
}

namespace {

bool has_place(const Culprit& culprit) {
  const int rank = model::rank_of(culprit.label);
  return culprit.what != 0 && rank == 1 && culprit.label != model::Label::q_pool && !model::names_peer(culprit.label);
}

}  // namespace

std::string what_text(const Culprit& culprit, const model::LockNames& locks) {
  if (!has_place(culprit)) return {};
  const std::string_view name = model::lock_of(culprit, locks);
  return name.empty() ? address_text(culprit.what) : std::string(name);
}

std::string where_text(const Culprit& culprit, const model::LockNames& locks) {
  return has_place(culprit) ? place_text(model::lock_of(culprit, locks), culprit.what) : std::string();
}

void append_labels(JsonWriter& json, const model::RequestTable& table, const model::Request& row) {
  const auto parts = table.partitions.parts(row.id);
  json.key("labels");
  if (parts.empty()) return json.null();
  shapes::put_with(json, label_shape(), parts, Anywhere{});
}

void append_culprits(JsonWriter& json, const model::RequestTable& table, const model::Request& row) {
  json.key("culprits");
  if (table.partitions.parts(row.id).empty()) return json.null();
  shapes::put_with(json, culprit_shape(), table.partitions.culprits(row.id), NamedBlockers(table.partitions));
}

}  // namespace tailcap::report
