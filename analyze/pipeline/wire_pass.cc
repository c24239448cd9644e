#include "analyze/pipeline/wire_pass.h"

#include <array>
#include <utility>
#include <vector>

#include "analyze/pipeline/beginning.h"
#include "analyze/pipeline/replay.h"
#include "analyze/pipeline/wire/wire_batch.h"
#include "analyze/tail/study.h"
#include "ground/threads/line.h"
#include "ground/threads/parts.h"
#include "ground/threads/workers.h"

namespace tailcap::pipeline {
namespace {

constexpr std::size_t kBatch = 1024;            // events of a batch, at most
constexpr std::size_t kBatchBytes = 64u << 10;  // likewise bytes, and an event's more: few can be thousands of requests
constexpr std::size_t kBatches = 8;  // at most: their costs differ from stage to stage and from batch to batch

}  // namespace

void WirePass::read(Replay& replay, Beginning& beginning) {
  std::array<WireBatch, kBatches> batches;
  std::vector<ground::Line::Stage> stages;
  for (std::size_t part = 0; part < ground::kParts; ++part)
    stages.emplace_back([&, part](std::size_t place) { wire_.make(batches[place], part); });
  stages.emplace_back([&](std::size_t place) {
    batches[place].replay(rows_);
    wire_.count(batches[place]);
  });
  ground::Line line(threads_, kBatches, std::move(stages));

  bool ahead = ground::workers_of(threads_) > 1 && wire_.far_from_limit();
  WireBatch* batch = nullptr;            // that is filled
  std::size_t filled = 0, of_block = 0;  // its events; batches of this block
  const auto catch_up = [&] {
    line.wait();
    wire_.admit_counted();
  };
  const auto hand_on = [&] {
    if (!batch) return;
    line.add();
    batch = nullptr;
    filled = 0;
    ++of_block;
    wire_.admit_counted();
    ahead = wire_.far_from_limit();
    if (!ahead) catch_up();
  };
  replay.slices([&](std::span<const formats::Event> events, bool last_of_block) {
    for (const formats::Event& event : events) {
      if (!ahead) {
        push(event);
        continue;
      }
      if (!batch) (batch = &batches[line.place()])->begin();
      wire_.take(event, *batch);
      if (++filled == kBatch || batch->bytes() >= kBatchBytes) hand_on();
    }
    if (last_of_block) {
      hand_on();
      line.wait(std::exchange(of_block, 0));  // events live until the block after theirs is over
    }
    if (!beginning.due()) return;
    hand_on();
    catch_up();
    beginning.look(*this);
  });
  line.wait();
}

bool WirePass::add_under_way(model::RequestTable& table, std::size_t most) const {
  std::size_t all = 0;
  wire_.exchanges().each_under_way([&](const model::Exchange& exchange) {
    if (++all <= most) rows_.requests().add_under_way(exchange, table);
  });
  return all <= most;
}

bool WirePass::all_bound() const {
  model::Quality quality;
  wire_.fill(quality);
  return quality.tls.unbound == 0;
}

void WirePass::fill(const model::RequestTable& table, model::Study& study) {
  model::Quality& quality = study.quality;
  rows_.fill(table, study);
  wire_.fill(quality);
  rows_.connections().fill_unread(quality);
  // Requests of unbound sessions are left out; some of those may be of connections of the sample, short ones above all.
  quality.sampling.chosen = quality.sampling.chosen || (quality.sampling.some() && quality.tls.unbound > 0);
  quality.connections_other = quality.findings[model::Finding::not_http];
  tail::count_requests(table, quality);
}

}  // namespace tailcap::pipeline
