// The parts of the list, in its order.
#pragma once

#include <span>

#include "analyze/model/columns/column.h"

namespace tailcap::model::columns {

std::span<const Column> message_columns();   // the request, the response, the outcome
std::span<const Column> store_columns();     // calls of databases and caches
std::span<const Column> duration_columns();  // times and sizes
std::span<const Column> origin_columns();    // whose it is: process, connection, trace, service
std::span<const Column> relation_columns();  // other requests: parent, other end, attempts
std::span<const Column> stream_columns();    // HTTP/2
std::span<const Column> phase_columns();     // phases, milestones, labels
std::span<const Column> setup_columns();     // connection set-up, endpoints, header fields
std::span<const Column> table_columns();     // in tables of databases only

}  // namespace tailcap::model::columns
