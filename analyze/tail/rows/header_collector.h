// Collects which header fields requests carry.
//
// A field with many values identifies requests and says nothing about groups of them, so it is left out, as are masked
// values and fields that describe the message itself. What is kept is bounded, whatever the capture holds.
#pragma once

#include <cstdint>
#include <map>
#include <set>
#include <string>
#include <vector>

#include "analyze/model/header_sets.h"
#include "analyze/model/wire/exchange.h"

namespace tailcap::tail {

class HeaderCollector {
 public:
  static constexpr std::size_t kMaxValues = 64;  // of one field; more: the field is left out
  static constexpr std::size_t kMaxFields = 64;
  static constexpr std::size_t kMaxSets = 4096;
  static constexpr std::size_t kMaxValue = 128;  // bytes

  // Once for each row of the table, in the order in which the rows are added.
  void push(const model::Exchange& exchange, model::TextPool& texts);
  // Once. from: new place -> old place of each row.
  model::HeaderSets take(const std::vector<std::uint32_t>& from);

 private:
  struct Field {
    std::map<std::string, model::TextId, std::less<>> values;
    bool left_out = false;
  };
  // The text of the field with its value; 0: it is not kept.
  model::TextId text_of(const model::Headers::Field& field, model::TextPool& texts);

  std::map<std::string, Field, std::less<>> fields_;
  std::map<std::vector<model::TextId>, std::uint32_t> sets_;
  std::vector<std::uint16_t> of_;
  // The fields of the row before, and the text of each; no texts: a field has been left out since.
  model::Headers last_;
  std::vector<model::TextId> last_texts_;
  std::string name_;
  std::vector<model::TextId> texts_, set_;
  bool texts_hold_ = true;  // no field was left out while they were collected
};

}  // namespace tailcap::tail
