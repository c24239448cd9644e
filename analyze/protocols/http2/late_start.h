// For a connection that was open when recording began: finds out whether it is HTTP/2, and which end is the client.
//
// Both directions are searched for frame borders. The runs after a border wait until a header block shows whether its
// sender sends requests or responses (:method and the like, or :status: common values are in the static table). They
// wait a little longer for the other direction's border, because its frames belong to the same streams. Then all
// waiting runs can be read. Whole frames that include a header list beginning with such a block are proof of a border
// by themselves.
#pragma once

#include <cstddef>
#include <memory>
#include <optional>
#include <vector>

#include "analyze/protocols/http2/sender.h"

namespace tailcap::protocols::http2 {

// Whether the sender of whole frames sends requests, by their header blocks: true: requests, false: responses, unset:
// they do not say, or contradict each other.
std::optional<bool> sends_requests(const std::vector<HeldRun>& frames);

class Http2LateStart {
 public:
  static constexpr std::size_t kMaxWait = 64;  // runs, for the other direction's border

  // Runs hold no end.
  void push(const model::ByteRun& run);
  // The direction of the requests, once it is known and the wait for further data is over (now: ends the wait). After
  // that, push nothing more.
  std::optional<model::Direction> client(bool now);
  // The runs since the border was found in this direction; without a border, those of the search so far.
  std::vector<HeldRun> take_runs(model::Direction d) { return std::move(side(d).waiting); }
  Resync take_search(model::Direction d) { return std::move(side(d).search); }

 private:
  struct Side {
    Resync search;
    std::unique_ptr<Sender> scout;  // reads the waiting runs; set where a border was found
    std::vector<HeldRun> waiting;
    std::size_t bytes = 0;
    void give_up();
  };
  Side& side(model::Direction d) { return sides_[static_cast<std::size_t>(d)]; }
  void scout(Side& s, const model::ByteRun& run);
  void believe(Side& s);

  Side sides_[2];
  std::optional<model::Direction> client_;
};

}  // namespace tailcap::protocols::http2
