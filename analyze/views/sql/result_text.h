// The result of a query as a table, CSV or lines of JSON. Texts of the capture cannot control a terminal.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

#include "analyze/sql/database.h"

namespace tailcap::views {

class ResultText {
 public:
  // format: "text", "csv", "json".
  ResultText(std::string_view format, std::vector<std::string> columns);
  // Appends to out; a table only at the end, because its columns are as wide as their contents.
  void add(const sql::Query& row, std::string& out);
  // more: there are further rows.
  void end(bool more, std::string& out);
  std::size_t rows() const { return rows_; }

 private:
  void put_heads(std::string& out) const;
  void put_table(std::string& out) const;

  enum class Form { text, csv, json };
  Form form_;
  std::vector<std::string> columns_;
  std::vector<std::vector<std::string>> kept_;
  std::vector<bool> numbers_;  // by column: a number is in it, and no text
  std::size_t rows_ = 0;
};

}  // namespace tailcap::views
