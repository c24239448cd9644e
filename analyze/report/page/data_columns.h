// Columns of requests as the script of a page reads them: arrays of whole numbers. Texts are numbers of a list of
// texts.
#pragma once

#include <cstdint>
#include <functional>
#include <span>
#include <string>
#include <string_view>

#include "analyze/model/request.h"
#include "analyze/model/text_pool.h"
#include "analyze/report/json/json_writer.h"
#include "analyze/report/page/shown_rows.h"

namespace tailcap::report::page {

// Texts by number, from 1; 0 is unknown. Only the beginning of a long one is kept.
class DataTexts {
 public:
  std::uint32_t number(std::string_view text);
  std::uint32_t id(model::ExchangeId id);  // 0: none
  void write(JsonWriter& json) const;      // an array whose first element is null

 private:
  static constexpr std::size_t kLongest = 300;  // bytes
  model::TextPool texts_;
};

// "columns": an array of objects: name, short, type, unit, values, details, data. Where details is true, the data are
// those of detailed requests alone. after_each: called after each column.
void write_columns(JsonWriter& json, const model::RequestTable& table, std::span<const ShownRow> rows, DataTexts& texts,
                   const std::function<void()>& after_each);

}  // namespace tailcap::report::page
