#include "analyze/node/node.h"

#include <algorithm>

#include "formats/event.h"
#include "formats/recorder_event.h"

namespace tailcap::node {
namespace {

bool ran(const formats::Preamble& preamble, std::string_view program) {
  return std::find(preamble.programs.begin(), preamble.programs.end(), program) != preamble.programs.end();
}

}  // namespace

Node::Node(const formats::Preamble& preamble) : shortage_(ran(preamble, "node_io_ends")) {
  study_.preamble = preamble;
  study_.everybody = std::find(preamble.targets.begin(), preamble.targets.end(), "all") != preamble.targets.end();
  study_.has_processes = ran(preamble, "task_start") && ran(preamble, "task_exec") && ran(preamble, "task_exit");
  study_.has_oom = ran(preamble, "oom_kill");
  study_.has_reclaim = ran(preamble, "stall_reclaim_begin") || ran(preamble, "stall_memcg_begin");
  study_.has_compaction = ran(preamble, "stall_compaction_begin");
  study_.has_fragments = ran(preamble, "node_fragments");
  study_.has_disks = ran(preamble, "node_io_ends");
  study_.has_connects = ran(preamble, "state_change");
  study_.has_resets = ran(preamble, "reset_sent") && ran(preamble, "reset_received");
  study_.has_retransmits = ran(preamble, "retransmit");
  study_.has_drops = ran(preamble, "packet_dropped");
}

void Node::push(const formats::Event& event, bool counted) {
  if (const auto* loss = std::get_if<formats::Loss>(&event.body)) {
    study_.lost += loss->count;
    study_.damaged = true;
  } else if (std::holds_alternative<formats::Damage>(event.body)) {
    study_.damaged = true;
  } else if (const auto* end = std::get_if<formats::CaptureEnd>(&event.body)) {
    study_.damaged = study_.damaged || end->state != formats::CaptureState::complete;
    return;
  } else if (const auto* clock = std::get_if<formats::ClockSnapshot>(&event.body)) {
    clock_.add(event.time, clock->realtime, clock->uncertainty);
  }
  names_.push(event);
  links_.push(event, counted);
  if (!counted) return;
  if (known(event.time)) {
    if (!known(study_.begin) || event.time < study_.begin) study_.begin = event.time;
    study_.end = std::max(study_.end, event.time);
  }
  processes_.push(event, names_);
  shortage_.push(event, names_);
  peers_.push(event, names_);
  if (const auto* drops = std::get_if<formats::PacketDrops>(&event.body)) drops_.push(*drops);
}

model::NodeStudy Node::study() const {
  model::NodeStudy study = study_;
  study.clock_known = clock_.known();
  if (study.clock_known) study.realtime_offset = clock_.realtime(study.begin) - formats::nanoseconds(study.begin);
  processes_.fill(study);
  shortage_.fill(study);
  peers_.fill(study);
  links_.fill(study);
  study.drops = drops_.all();
  for (const auto& d : study.drops) study.drop_count += std::min(d.count, UINT64_MAX - study.drop_count);
  if (study.drops.size() > model::NodeStudy::kMaxListed) study.drops.resize(model::NodeStudy::kMaxListed);
  return study;
}

}  // namespace tailcap::node
