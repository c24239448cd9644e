#include "analyze/pipeline/wire/wire_batch.h"

#include "ground/memory.h"

namespace tailcap::pipeline {
namespace {

// Events are fetched this many steps before they are read: another CPU has written them.
constexpr std::size_t kAhead = 6;

}  // namespace

void WireBatch::begin() {
  steps_.clear(), failed_.clear(), runs_.clear(), marks_.clear(), held_.clear();
  lookups_ = connections_ = 0;
  for (std::size_t part = 0; part < ground::kParts; ++part) {
    Part& p = parts_[part];
    p.runs_.clear(), p.items_.clear(), p.messages_.clear(), p.exchanges_.clear();
    p.requests = p.item_ = p.message_ = p.exchange_ = 0;
  }
}

std::uint32_t WireBatch::keep(const model::Connection* connection) {
  if (!connection) return kNone;
  next(connection_slots_, connections_) = *connection;
  return static_cast<std::uint32_t>(connections_ - 1);
}

void WireBatch::add(const formats::Event& event, std::span<const model::Lookup> ended) {
  steps_.push_back({Step::Kind::event, static_cast<std::uint32_t>(ended.size()), &event});
  for (const model::Lookup& lookup : ended) next(lookup_slots_, lookups_) = lookup;
}

void WireBatch::add(const model::FailedName& name, const model::Connection& connection) {
  steps_.push_back({Step::Kind::failed});
  failed_.push_back({name, keep(&connection)});
}

void WireBatch::add(const model::ByteRun& run, const model::Connection* connection, const model::Connection* carrier) {
  steps_.push_back({Step::Kind::run});
  parts_[ground::part_of(run.connection)].runs_.push_back(static_cast<std::uint32_t>(runs_.size()));
  runs_.push_back({run, marks_.size(), keep(connection), keep(carrier)});
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
  for (std::size_t part = 0; part < ground::kParts; ++part) all += parts_[part].requests;
  return all;
}

// What the bytes of a run have become.
void WireBatch::replay(std::uint32_t number, const Run& run, WireSink& sink) {
  const model::Connection* const connection = kept(run.connection);
  const model::Connection* const carrier = kept(run.carrier);
  Part& p = parts_[ground::part_of(run.bytes.connection)];
  for (; p.item_ < p.items_.size() && p.items_[p.item_].run == number; ++p.item_) {
    if (!p.items_[p.item_].exchange) {
      sink.push(p.messages_.slot(p.message_++), connection, carrier);
      continue;
    }
    if (p.exchange_ + 1 < p.exchanges_.size()) ground::prefetch(p.exchanges_[p.exchange_ + 1]);
    sink.push(p.exchanges_.slot(p.exchange_++), connection, carrier);
  }
  if (connection && run.bytes.end != model::End::none) sink.ended(*connection, carrier, run.bytes.end);
}

void WireBatch::replay(WireSink& sink) {
  std::size_t lookup = 0, failed = 0;
  std::uint32_t run = 0;
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
        if (const model::Connection* const connection = kept(failed_[failed].connection))  // there always is one
          sink.failed(failed_[failed].name, *connection);
        ++failed;
        break;
      case Step::Kind::run:
        replay(run, runs_[run], sink);
        ++run;
        break;
    }
  }
}

}  // namespace tailcap::pipeline
