// Requests, their accounts, courses, links and streams as rows.
#pragma once

#include <cstdint>
#include <functional>
#include <span>
#include <string_view>
#include <vector>

#include "analyze/model/columns/facts.h"
#include "analyze/model/machine/task_facts.h"
#include "analyze/model/request.h"
#include "analyze/model/study/split.h"
#include "analyze/model/wall_clock.h"
#include "analyze/sql/database.h"

namespace tailcap::sql {

// What the rows are made of; all must outlive the functions below.
struct RequestFacts {
  const model::RequestTable& table;
  std::span<const model::columns::Traced> traces;                                           // by row of the table
  const std::function<std::pair<model::TextId, model::TextId>(model::ConnectionId)>& ends;  // local, remote
  const model::WallClock& clock;
  const std::function<model::Upid(std::uint32_t pid, formats::Time)>& process;
  const std::function<model::Utid(std::uint32_t tid, formats::Time)>& thread;
  const model::Splits& splits;
};

std::string id_text(model::ExchangeId id);

void insert_requests(Database& database, const RequestFacts& facts);
void insert_accounts(Database& database, const RequestFacts& facts);
void insert_segments(Database& database, const RequestFacts& facts, std::span<const model::Course> courses);
void insert_links(Database& database, const RequestFacts& facts);
void insert_streams(Database& database, const RequestFacts& facts);

}  // namespace tailcap::sql
