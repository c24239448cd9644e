#include "analyze/pipeline/wire/wire_batch.h"

#include "ground/memory.h"

namespace tailcap::pipeline {
namespace {

// Events are fetched this many steps before they are read: another CPU has written them.
constexpr std::size_t kAhead = 6;

}  // namespace

void WireBatch::begin() {
  steps_.clear(), failed_.clear(), marks_.clear(), held_.clear();
  lookups_ = connections_ = bytes_ = 0;
  for (Part& p : parts_) {
    p.runs_.clear(), p.items_.clear(), p.messages_.clear(), p.exchanges_.clear();
    p.requests = p.run_ = 0;
    p.item_ = p.message_ = p.exchange_ = 0;
  }
}

std::uint32_t WireBatch::keep(const model::Connection* connection) {
  if (!connection) return kNone;
  next(connection_slots_, connections_) = *connection;
  return static_cast<std::uint32_t>(connections_ - 1);
}

void WireBatch::push(const formats::Event& event, std::span<const model::Lookup> ended) {
  steps_.push_back({.kind = Step::Kind::event, .lookups = static_cast<std::uint32_t>(ended.size()), .event = &event});
  for (const model::Lookup& lookup : ended) next(lookup_slots_, lookups_) = lookup;
}

void WireBatch::failed(const model::FailedName& name, const model::Connection& connection) {
  steps_.push_back({.kind = Step::Kind::failed, .connection = keep(&connection)});
  failed_.push_back(name);
}

void WireBatch::add(const model::ByteRun& run, const model::Connection* connection, const model::Connection* carrier) {
  const std::size_t part = ground::part_of(run.connection);
  steps_.push_back({.kind = Step::Kind::run,
                    .end = run.end,
                    .part = static_cast<std::uint8_t>(part),
                    .connection = keep(connection),
                    .carrier = keep(carrier)});
  parts_[part].runs_.push_back({run, marks_.size()});
  bytes_ += run.head.size() + run.tail.size();
  marks_.insert(marks_.end(), run.arrivals.begin(), run.arrivals.end());
}

void WireBatch::Part::add(std::size_t run, std::unique_ptr<model::Message>& message) {
  items_.push_back({static_cast<std::uint32_t>(run), false});
  messages_.add_swapped(message);
}

void WireBatch::Part::add(std::size_t run, std::unique_ptr<model::Exchange>& exchange) {
  items_.push_back({static_cast<std::uint32_t>(run), true});
  exchanges_.add_swapped(exchange);
}

std::uint64_t WireBatch::requests() const {
  std::uint64_t all = 0;
  for (const Part& p : parts_) all += p.requests;
  return all;
}

// What the bytes of a run have become.
void WireBatch::replay_run(const Step& step, WireSink& sink) {
  const model::Connection* const connection = kept(step.connection);
  const model::Connection* const carrier = kept(step.carrier);
  Part& p = parts_[step.part];
  for (; p.item_ < p.items_.size() && p.items_[p.item_].run == p.run_; ++p.item_) {
    if (!p.items_[p.item_].exchange) {
      sink.push(p.messages_.slot(p.message_++), connection, carrier);
      continue;
    }
    if (p.exchange_ + 1 < p.exchanges_.size()) ground::prefetch(p.exchanges_[p.exchange_ + 1]);
    sink.push(p.exchanges_.slot(p.exchange_++), connection, carrier);
  }
  ++p.run_;
  if (connection && step.end != model::End::none) sink.ended(*connection, carrier, step.end);
}

void WireBatch::replay(WireSink& sink) {
  std::size_t lookup = 0, failed = 0;
  for (std::size_t i = 0; i < steps_.size(); ++i) {
    const Step& step = steps_[i];
    if (const formats::Event* const next = i + kAhead < steps_.size() ? steps_[i + kAhead].event : nullptr)
      ground::prefetch(*next);
    switch (step.kind) {
      case Step::Kind::event:
        sink.push(*step.event, std::span(lookup_slots_).subspan(lookup, step.lookups));
        lookup += step.lookups;
        break;
      case Step::Kind::failed:
        if (const model::Connection* const connection = kept(step.connection))  // there always is one
          sink.failed(failed_[failed++], *connection);
        break;
      case Step::Kind::run:
        replay_run(step, sink);
        break;
    }
  }
}

}  // namespace tailcap::pipeline
