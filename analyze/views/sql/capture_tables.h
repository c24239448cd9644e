// A capture as tables for SQL: of the tables that a query names, the rows.
#pragma once

#include <cstdint>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "analyze/model/wire/exchange.h"
#include "analyze/pipeline/pipeline.h"
#include "analyze/sql/database.h"
#include "analyze/views/logs/join_files.h"

namespace tailcap::views {

struct Filled {
  bool damaged = false;
  std::vector<model::ExchangeId> wrong;  // as in pipeline::Analysis
  bool without_spans = false;            // the capture has no reading of the wall clock
  std::uint64_t without_segments = 0;    // requests beyond the number whose segments are kept
  std::optional<LogCounts> logs;         // of the table log
};

// names: as sql::Database::tables_of() gives them. logs: whose lines the table log holds. options: how routes are made,
// threads, progress; what is to be kept is set in it. Throws std::runtime_error where the capture cannot be read, or
// spans are wanted and it has no reading of the wall clock.
Filled fill_tables(sql::Database& database, const std::set<std::string>& names, const std::string& file,
                   const LogFiles& logs, pipeline::Options& options, std::string_view version);

// All of them.
std::set<std::string> all_tables();

}  // namespace tailcap::views
