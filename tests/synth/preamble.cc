#include "tests/synth/capture_file.h"
#include "tests/synth/scenario.h"

namespace tailcap::synth {

formats::Preamble plain_preamble() {
  formats::Preamble p;
  p.capture_id = "00000000000000000000000000000001";
  p.tool_version = "synthetic";
  p.command_line = {"synth-capture"};
  p.host = "example";
  p.kernel = "6.18.0";
  p.architecture = "x86_64";
  p.boot_id = "00000000-0000-0000-0000-000000000000";
  p.cpus = 2;
  p.tier = formats::HookTier::a;
  p.payload_limit = 256;
  p.started = kStart;
  p.started_realtime = 1'700'000'000'000'000'000;
  return p;
}

}  // namespace tailcap::synth
