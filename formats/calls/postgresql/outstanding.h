// The calls and Syncs of a connection that are not answered yet.
#pragma once

#include <cstddef>
#include <cstdint>
#include <deque>
#include <optional>

namespace tailcap::formats::calls::postgresql {

enum class Ask : std::uint8_t { connect, query, execute, prepare, sync };

struct Asked {
  Ask ask;
  std::uint16_t replies = 0;  // of a PREPARE
};

class Outstanding {
 public:
  // from_beginning: no response precedes the first request.
  explicit Outstanding(bool from_beginning) : counts_early_(from_beginning) {}

  bool empty() const { return asked_.empty(); }
  const Asked& oldest() const { return asked_.front(); }
  // The oldest is such a one.
  bool asks(Ask ask) const { return !asked_.empty() && asked_.front().ask == ask; }
  // False: more are outstanding than can be.
  bool ask(Ask ask, std::uint16_t replies = 0);
  // The oldest call was answered, or if there is none, one that is recorded later.
  void answered();
  // ReadyForQuery may answer the oldest, or the Sync right behind it.
  bool awaits_ready() const;
  // ReadyForQuery is the answer to the oldest itself.
  bool ends_with_ready() const;
  // The server skipped all calls up to the next Sync: how many.
  std::size_t skip();
  // The oldest, if it is a Sync.
  void drop_sync();
  // Syncs that the server reads over while it waits for the data of a COPY.
  void drop_syncs();
  void drop_syncs_behind_oldest();

  // What the first ReadyForQuery answers.
  struct First {
    std::size_t calls = 0;
    std::size_t all = 0;  // with the Sync
  };
  // Nothing if more than one ReadyForQuery is to come.
  std::optional<First> before_only_ready() const;
  void drop(const First& first);

 private:
  std::deque<Asked> asked_;  // the oldest first
  std::uint8_t early_ = 0;   // calls that were answered before their requests were seen
  bool counts_early_;
};

}  // namespace tailcap::formats::calls::postgresql
