// TLS connections, listen queues and name lookups in `tailcap report --json`; docs/JSON.md describes every name.
#pragma once

#include "analyze/model/study/study.h"
#include "analyze/report/json/json_writer.h"

namespace tailcap::report {

void append_tls_peer(JsonWriter& json, const model::TlsPeer& peer);
void append_listen_queue(JsonWriter& json, const model::ListenQueue& queue, const model::WallClock& clock);
void append_name(JsonWriter& json, const model::NameStudy& name);

}  // namespace tailcap::report
