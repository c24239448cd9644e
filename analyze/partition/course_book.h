// The courses of followed requests, kept small: a page draws a few of them, and which ones is known only when all
// requests have labels.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "analyze/model/partition.h"
#include "analyze/partition/drafted.h"

namespace tailcap::partition {

class CourseBook {
 public:
  enum class Culprits : std::uint8_t { leave, keep };

  // Follows the request, its other end, and the calls below both; `keep`: also those behind the request itself. At most
  // `most` requests are followed. Before the first add().
  void follow(const Windows& windows, model::ExchangeId id, Culprits culprits, std::size_t most);
  bool empty() const { return followed_.empty(); }
  bool follows(std::uint32_t row) const { return row < followed_.size() && followed_[row]; }
  // A followed request that has its labels. Returns the rows of those who held it up, which are followed from now on.
  std::vector<std::uint32_t> add(const Windows& windows, const Drafted& drafted,
                                 std::span<const model::Culprit> culprits);

  // By request. The second: of these, of their other ends, and of the calls below.
  std::vector<model::Course> all();
  std::vector<model::Course> of(std::vector<model::ExchangeId> requests);

 private:
  struct Piece {
    Nanos to = 0;
    std::uint32_t behind = 0;
    model::Label label = model::Label::unexplained_nocarrier;
    model::Evidence evidence = model::Evidence::measured;
  };
  struct Entry {
    model::ExchangeId id, peer;
    Nanos from = 0;  // the pieces follow each other
    std::vector<Piece> pieces;
    std::vector<model::Culprit> behind;
    std::vector<model::Course::Call> calls;
  };
  static Entry entry_of(const Draft& draft, std::span<const Condition> pieces);
  static model::Course course_of(const Entry& entry);
  void sort();

  std::size_t count_ = 0;
  std::vector<bool> followed_, blaming_;  // by row
  std::vector<Entry> entries_;
};

}  // namespace tailcap::partition
