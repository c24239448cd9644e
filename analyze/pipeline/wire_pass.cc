#include "analyze/pipeline/wire_pass.h"

#include <array>
#include <utility>

#include "analyze/pipeline/beginning.h"
#include "analyze/pipeline/replay.h"
#include "analyze/pipeline/wire/wire_batch.h"
#include "analyze/tail/study.h"
#include "ground/background.h"
#include "ground/workers.h"

namespace tailcap::pipeline {
namespace {

constexpr std::size_t kBatch = 2048;  // events of a batch
constexpr std::size_t kBatches = 4;   // at most: of one of them the first stage is at work

}  // namespace

void WirePass::read(Replay& replay, Beginning& beginning) {
  if (ground::workers_of(threads_) == 1) {
    replay.slices([&](std::span<const formats::Event> events, bool) {
      for (const formats::Event& event : events) push(event);
      if (beginning.due()) beginning.look(*this);
    });
    return;
  }
  // While the second stage is at one batch, the first fills others: their costs differ from batch to batch.
  std::array<WireBatch, kBatches> batches;
  std::size_t at = 0, filled = 0, of_block = 0;  // the batch that is filled; its events; batches of this block
  ground::Background rows;
  replay.slices([&](std::span<const formats::Event> events, bool last_of_block) {
    WireBatch& batch = batches[at];
    if (filled == 0) batch.begin();
    for (const formats::Event& event : events) wire_.push(event, batch);
    filled += events.size();
    if (filled < kBatch && !last_of_block) return;
    rows.run([&] { batch.replay(rows_); });
    at = (at + 1) % kBatches;
    filled = 0;
    ++of_block;
    rows.wait(kBatches - 1);
    if (last_of_block) rows.wait(std::exchange(of_block, 0));  // events live until the block after theirs is over
    if (!beginning.due()) return;
    rows.wait();
    beginning.look(*this);
  });
  rows.wait();
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
