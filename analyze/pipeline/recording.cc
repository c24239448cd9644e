#include "analyze/pipeline/recording.h"

#include <algorithm>

#include "formats/event.h"
#include "formats/recorder_event.h"
#include "ground/recorder_notes.h"

namespace tailcap::pipeline {

void Recording::push(const formats::Event& event) {
  facts_.push(event);
  go_.push(event);
  incidents_.push(event);
  marks_.push(event);
  if (const auto* note = std::get_if<formats::Note>(&event.body); note && note->key == ground::kMemoryNote)
    memory_.push(event.time, note->value);
}

void Recording::push_past(const formats::Event& event, formats::Time window, bool last) {
  facts_.push(event);
  if (last) facts_.forget_counts();
  marks_.push(event);
  switch (formats::kind_of(event)) {
    case formats::Kind::task_exit:
    case formats::Kind::go_panic:
      break;
    case formats::Kind::go_program:
    case formats::Kind::task_info:
    case formats::Kind::cpu_quota: {
      formats::Event described = event;
      described.time = std::max(event.time, window);
      go_.push(described);
      incidents_.push(event);
      break;
    }
    default:
      incidents_.push(event);
  }
}

void Recording::push(const model::Exchange& exchange, const model::Connection* connection) {
  incidents_.push(exchange, connection ? connection->closed : formats::kNoTime);
}

void Recording::fill(const model::RequestTable& table, const std::vector<model::Served>& served,
                     const std::function<model::TextId(model::ConnectionId)>& local, model::Study& study) const {
  facts_.fill(study.quality);
  study.begin = facts_.first();
  study.end = facts_.last();
  study.names = lookups_.list();
  study.go = go_.list(table, served, cpus_, facts_.last());
  study.incidents = incidents_.list(table, local);
  marks_.fill(table, local, study.changes);
  study.memory = memory_;
}

}  // namespace tailcap::pipeline
