#include "analyze/report/host/diag.h"
#include "analyze/report/json/json_writer.h"
#include "analyze/report/words/json_schema.h"

namespace tailcap::report {
namespace {

class DiagWriter {
 public:
  DiagWriter(JsonWriter& json, const model::NodeStudy& study) : json_(json), s_(study) {}

  void write() {
    json_.begin_object();
    json_.field("schema", kJsonSchema);
    json_.key("host");
    json_.text_or_null(s_.preamble.host);
    json_.field("cpus", s_.preamble.cpus);
    wall("from_ns", s_.begin);
    wall("to_ns", s_.end);
    json_.field("duration_ns", s_.duration().count());
    json_.field("everybody", s_.everybody);
    json_.field("complete", !s_.damaged);
    json_.field("lost", s_.lost);
    json_.key("findings");
    json_.begin_array();
    for (const auto& f : node_findings(s_)) {
      json_.begin_object();
      json_.field("kind", f.kind);
      json_.field("count", f.count);
      json_.field("text", f.text);
      json_.end_object();
    }
    json_.end_array();
    json_.key("not_recorded");
    json_.begin_array();
    for (const auto word : not_recorded(s_)) json_.text(word);
    json_.end_array();
    processes();
    memory();
    tcp();
    disks();
    json_.end_object();
  }

 private:
  void wall(std::string_view name, formats::Time t) {
    json_.key(name);
    if (known(t) && s_.clock_known)
      json_.number(formats::nanoseconds(t) + s_.realtime_offset);
    else
      json_.null();
  }
  void pid(std::string_view name, std::uint32_t number) {
    json_.key(name);
    if (number != 0)
      json_.number(std::uint64_t{number});
    else
      json_.null();
  }

  void processes() {
    json_.key("processes");
    if (!s_.has_processes) return json_.null();
    json_.begin_object();
    json_.field("started", s_.started);
    json_.field("ended", s_.ended);
    json_.field("short_ns", model::NodeStudy::kShort.count());
    json_.field("short_lived", s_.short_count);
    json_.key("listed");
    json_.begin_array();
    for (const auto& p : s_.short_lived) {
      json_.begin_object();
      json_.field("command", p.command);
      json_.field("executed", p.executed);
      pid("parent_pid", p.parent);
      json_.key("parent");
      json_.text_or_null(p.parent_name);
      json_.field("count", p.count);
      json_.field("failed", p.failed);
      json_.field("least_ns", p.least.count());
      json_.field("mean_ns", p.sum.count() / static_cast<std::int64_t>(p.count));
      json_.field("most_ns", p.most.count());
      json_.end_object();
    }
    json_.end_array();
    json_.field("left_out", s_.short_left_out);
    json_.end_object();
  }

  void held(std::string_view name, bool recorded, const model::MemoryWaits& held) {
    json_.key(name);
    if (!recorded) return json_.null();
    json_.begin_object();
    json_.field("count", held.count);
    json_.field("total_ns", held.sum.count());
    json_.field("most_ns", held.most.count());
    json_.key("processes");
    json_.begin_array();
    for (const auto& p : held.processes) {
      json_.begin_object();
      pid("pid", p.pid);
      json_.key("comm");
      json_.text_or_null(p.name);
      json_.field("count", p.count);
      json_.field("total_ns", p.sum.count());
      json_.end_object();
    }
    json_.end_array();
    json_.end_object();
  }

  void memory() {
    json_.key("memory");
    json_.begin_object();
    held("reclaim", s_.has_reclaim, s_.reclaim);
    held("compaction", s_.has_compaction, s_.compaction);
    json_.key("fragmented");
    if (!s_.has_fragments) {
      json_.null();
    } else {
      json_.begin_object();
      json_.field("count", s_.fragments);
      json_.key("orders");
      json_.begin_array();
      for (const auto& [order, count] : s_.fragment_orders) {
        json_.begin_object();
        json_.field("order", order);
        json_.field("count", count);
        json_.end_object();
      }
      json_.end_array();
      json_.end_object();
    }
    json_.key("oom_kills");
    if (!s_.has_oom) {
      json_.null();
    } else {
      json_.begin_object();
      json_.field("count", s_.oom_count);
      json_.key("listed");
      json_.begin_array();
      for (const auto& v : s_.oom) {
        json_.begin_object();
        wall("at_ns", v.time);
        pid("pid", v.pid);
        json_.key("comm");
        json_.text_or_null(v.name);
        json_.end_object();
      }
      json_.end_array();
      json_.end_object();
    }
    json_.end_object();
  }

  enum class Of : std::uint8_t { failures, resets, retransmits };
  void peers(std::string_view name, bool recorded, std::uint64_t count, const std::vector<model::PeerTrouble>& list,
             Of of) {
    json_.key(name);
    if (!recorded) return json_.null();
    json_.begin_object();
    json_.field("count", count);
    json_.key("listed");
    json_.begin_array();
    for (const auto& p : list) {
      json_.begin_object();
      json_.field("address", p.address);
      if (of == Of::failures) {
        json_.field("cause", p.cause);
        pid("pid", p.pid);
        json_.key("comm");
        json_.text_or_null(p.name);
      }
      json_.field("count", p.count);
      if (of == Of::retransmits) json_.field("bytes", p.bytes);
      json_.end_object();
    }
    json_.end_array();
    json_.end_object();
  }

  void link(const model::LinkName& link) {
    pid("net_namespace", link.net_namespace);
    pid("index", link.index);
    json_.key("interface");
    json_.text_or_null(link.name);
    json_.key("master");
    json_.text_or_null(link.master);
    pid("mtu", link.mtu);
  }

  void retransmit_links() {
    json_.key("retransmit_links");
    if (!s_.has_retransmits) return json_.null();
    json_.begin_array();
    for (const auto& r : s_.retransmit_links) {
      json_.begin_object();
      link(r.link);
      json_.field("count", r.count);
      json_.field("bytes", r.bytes);
      json_.end_object();
    }
    json_.end_array();
  }

  void windows() {
    json_.key("retransmit_windows");
    if (!s_.has_retransmits) return json_.null();
    json_.begin_object();
    json_.field("window_ns", s_.window.count());
    json_.key("listed");
    json_.begin_array();
    for (const auto& w : s_.windows) {
      json_.begin_object();
      wall("from_ns", w.from);
      json_.field("count", w.count);
      json_.key("interface");
      json_.text_or_null(w.most.name);
      json_.field("through_interface", w.most.name.empty() ? 0 : w.of_most);
      json_.end_object();
    }
    json_.end_array();
    json_.end_object();
  }

  void mismatches() {
    json_.key("mtu_mismatches");
    if (!s_.has_retransmits) return json_.null();
    json_.begin_array();
    for (const auto& m : s_.mtu_mismatches) {
      json_.begin_object();
      link(m.link);
      json_.field("other_mtu", m.other_mtu);
      json_.key("other_interface");
      json_.text_or_null(m.other_end);
      json_.field("large", m.large);
      json_.field("count", m.count);
      json_.end_object();
    }
    json_.end_array();
  }

  void rtts() {
    json_.key("round_trips");
    json_.begin_array();
    const auto either = [&](std::string_view name, bool known, formats::Duration value) {
      json_.key(name);
      if (known)
        json_.number(std::int64_t{value.count()});
      else
        json_.null();
    };
    const auto mean = [](formats::Duration sum, std::uint64_t count) {
      return count == 0 ? sum : sum / static_cast<std::int64_t>(count);
    };
    for (const auto& r : s_.rtts) {
      json_.begin_object();
      json_.field("address", r.address);
      json_.field("handshakes", r.handshakes);
      either("handshake_least_ns", r.handshakes != 0, r.handshake_least);
      either("handshake_mean_ns", r.handshakes != 0, mean(r.handshake_sum, r.handshakes));
      either("handshake_most_ns", r.handshakes != 0, r.handshake_most);
      json_.field("readings", r.readings);
      either("smoothed_mean_ns", r.readings != 0, mean(r.smoothed_sum, r.readings));
      either("smoothed_most_ns", r.readings != 0, r.smoothed_most);
      wall("rise_at_ns", r.rise);
      either("before_ns", r.before.count() > 0, r.before);
      either("after_ns", r.before.count() > 0, r.after);
      json_.end_object();
    }
    json_.end_array();
  }

  void tcp() {
    json_.key("tcp");
    json_.begin_object();
    peers("connect_failures", s_.has_connects, s_.connect_count, s_.connect_failures, Of::failures);
    peers("retransmits", s_.has_retransmits, s_.retransmit_count, s_.retransmits, Of::retransmits);
    peers("resets_received", s_.has_resets, s_.resets_received_count, s_.resets_received, Of::resets);
    peers("resets_sent", s_.has_resets, s_.resets_sent_count, s_.resets_sent, Of::resets);
    retransmit_links();
    windows();
    mismatches();
    rtts();
    json_.end_object();
  }

  void disks() {
    json_.key("slow_io");
    if (!s_.has_disks) return json_.null();
    json_.begin_object();
    json_.field("count", s_.slow_io_count);
    json_.key("disks");
    json_.begin_array();
    for (const auto& d : s_.disks) {
      json_.begin_object();
      json_.field("device", std::to_string(d.device >> 20) + ":" + std::to_string(d.device & 0xfffff));
      json_.field("count", d.count);
      json_.field("bytes", d.bytes);
      json_.field("mean_ns", d.sum.count() / static_cast<std::int64_t>(d.count));
      json_.field("most_ns", d.most.count());
      json_.key("comm");
      json_.text_or_null(d.name);
      json_.end_object();
    }
    json_.end_array();
    json_.end_object();
  }

  JsonWriter& json_;
  const model::NodeStudy& s_;
};

}  // namespace

std::string diag_json(const model::NodeStudy& study) {
  std::string out;
  JsonWriter json(out);
  DiagWriter(json, study).write();
  return out + "\n";
}

}  // namespace tailcap::report
