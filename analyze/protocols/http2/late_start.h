// A connection that was open when recording began: finds out whether it is HTTP/2, and who of the two asks.
//
// Both directions are searched for frame borders. What follows a border waits until a header block says whether its
// sender asks or answers (:method and the like, or :status: common values are in the static table), and a little longer
// for the other direction's border: its frames belong to the same streams. Then all that waits can be read. Whole
// frames among which such a block begins a header list are proof of a border by themselves.
#pragma once

#include <cstddef>
#include <memory>
#include <optional>
#include <vector>

#include "analyze/protocols/http2/sender.h"

namespace tailcap::protocols::http2 {

// Who sends whole frames, by their header blocks: true: requests, false: responses, nothing: they do not say, or
// contradict themselves.
std::optional<bool> sends_requests(const std::vector<HeldRun>& frames);

class LateStart {
 public:
  static constexpr std::size_t kMaxWait = 64;  // runs, for the other direction's border

  // Runs hold no end.
  void push(const flow::ByteRun& run);
  // The direction of the requests, once it is known and all that can be had was waited for (now: that is over).
  // Then no more may be pushed.
  std::optional<flow::Direction> client(bool now);
  // What came since the border was found in this direction; and where none was found, the search so far.
  std::vector<HeldRun> take_runs(flow::Direction d) { return std::move(side(d).waiting); }
  Resync take_search(flow::Direction d) { return std::move(side(d).search); }

 private:
  struct Side {
    Resync search;
    std::unique_ptr<Sender> scout;  // reads what waits; set where a border was found
    std::vector<HeldRun> waiting;
    std::size_t bytes = 0;
    void give_up();
  };
  Side& side(flow::Direction d) { return sides_[static_cast<std::size_t>(d)]; }
  void scout(Side& s, const flow::ByteRun& run);
  void believe(Side& s);

  Side sides_[2];
  std::optional<flow::Direction> client_;
};

}  // namespace tailcap::protocols::http2
