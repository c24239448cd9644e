// The parts of the list, in its order.
#pragma once

#include <span>

#include "analyze/model/columns/column.h"

namespace tailcap::model::columns {

std::span<const RequestColumn> message_columns();   // the request, the response, the outcome
std::span<const RequestColumn> store_columns();     // calls of databases and caches
std::span<const RequestColumn> duration_columns();  // times and sizes
std::span<const RequestColumn> origin_columns();    // whose it is: process, connection, trace, service
std::span<const RequestColumn> relation_columns();  // other requests: parent, other end, attempts
std::span<const RequestColumn> stream_columns();    // HTTP/2
std::span<const RequestColumn> phase_columns();     // phases, milestones, labels
std::span<const RequestColumn> setup_columns();     // connection set-up, endpoints, header fields
std::span<const RequestColumn> table_columns();     // in tables of databases only

}  // namespace tailcap::model::columns
