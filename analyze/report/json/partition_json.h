// The labels of a request in JSON, as `requests --json` and `show --json` print them; docs/JSON.md
// describes them.
#pragma once

#include <string>

#include "analyze/model/request.h"
#include "analyze/report/json/shape.h"

namespace tailcap::report {

// "labels", "culprits": arrays, or null where the request has no partition.
void append_labels(JsonWriter& json, const model::RequestTable& table, const model::Request& row);
void append_culprits(JsonWriter& json, const model::RequestTable& table, const model::Request& row);
// Their items.
const Description& label_description();
const Description& culprit_description();

// Who was behind a time.
const Shape<model::Culprit, model::NamedBlockers>& blocker_shape();
const Shape<model::CpuGroup, Anywhere>& group_shape();
const Shape<model::SocketPeer, Anywhere>& peer_shape();

// "cart_mutex", "0x7f00…": the name of a lock, or its address; a device. Empty for calls, whose `what` is their
// connection.
std::string what_text(const model::Culprit& culprit, const model::LockNames& locks);
// The same in a sentence: "`cart_mutex`", "at 0x7f00…".
std::string where_text(const model::Culprit& culprit, const model::LockNames& locks);

}  // namespace tailcap::report
