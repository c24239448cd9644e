// What is said of the capture as a whole, and of its connections, as rows.
#pragma once

#include <map>
#include <span>
#include <string_view>
#include <vector>

#include "analyze/model/request.h"
#include "analyze/model/study/study.h"
#include "analyze/model/wire/connection.h"
#include "analyze/sql/database.h"
#include "formats/event_names.h"
#include "formats/file/reader.h"

namespace tailcap::sql {

void insert_connections(Database& database, std::span<const model::Connection> connections,
                        const model::RequestTable& table);
void insert_losses(Database& database, const model::Quality& quality);
void insert_blocks(Database& database, std::span<const formats::BlockStatus> blocks);
void insert_capture(Database& database, const formats::Preamble& preamble, const formats::FileSummary& file,
                    const model::Quality& quality);
void insert_version(Database& database, std::string_view tailcap);

// Readings of the clocks, as they come.
class Clocks {
 public:
  explicit Clocks(Database& database) : row_(database, "clock") {}
  void push(const formats::Event& event);

 private:
  Inserter row_;
};

}  // namespace tailcap::sql
