# The messages inside a .tcap file. What they mean, and how blocks frame them: formats/FORMAT.md.
#
#   zstd -dc FILE.tcap | capnp convert binary:json formats/capture.capnp Chunk
#
# Additive only: a field is never renumbered, retyped or given another default. Absent means what the default says.
@0xd8710129125a10cd;

using Cxx = import "/capnp/c++.capnp";
$Cxx.namespace("tailcap::formats::schema");

struct Chunk {
  union {
    preamble @0 :Preamble;
    events @1 :Events;
    keyframe @2 :Events;
    footer @3 :Footer;
  }
}

struct Preamble {
  formatVersion @0 :UInt16;
  captureId @1 :Text;
  toolVersion @2 :Text;
  commandLine @3 :List(Text);
  host @4 :Text;
  kernel @5 :Text;
  architecture @6 :Text;
  bootId @7 :Text;
  cpus @8 :UInt32;
  tier @9 :UInt8;              # 0 unknown, 1 A, 2 B, 3 C
  tierReason @10 :Text;
  redaction @11 :UInt8;        # 0 masked headers, 1 none, 2 allow-list, 3 likewise, with all header values, 4 nothing masked
  payloadLimit @12 :UInt32;
  ringBytes @13 :UInt64;
  targets @14 :List(Text);
  programs @15 :List(Text);
  notes @16 :List(Note);
  started @17 :Int64;          # ns, CLOCK_MONOTONIC
  startedRealtime @18 :Int64;  # ns since 1970

  struct Note {
    key @0 :Text;
    value @1 :Text;
  }
}

struct Footer {
  state @0 :UInt8;             # 0 complete, 2 recovered
  ended @1 :Int64;             # ns, CLOCK_MONOTONIC
  events @2 :UInt64;
  lost @3 :UInt64;
  rawBytes @4 :UInt64;
  index @5 :List(Entry);       # every block before the footer

  struct Entry {
    offset @0 :UInt64;
    first @1 :Int64;
    last @2 :Int64;
    sequence @3 :UInt32;
    events @4 :UInt32;
    stream @5 :UInt16;
    type @6 :UInt8;
  }
}

# Columns. "ref" columns and the meaning of 0 in them, "sparse" columns and prediction: formats/FORMAT.md.
struct Events {
  order @0 :List(UInt8);       # the kind of every event, in arrival order
  time @1 :List(UInt16);       # ns since the event before; 0xffff: next of timeFar
  timeFar @2 :List(Int64);     # sparse
  thread @3 :List(UInt16);     # ref into pids/tids; 0: as the event of this kind before
  base @4 :Int64;              # time before the first event

  pids @5 :List(UInt32);
  tids @6 :List(UInt32);
  sockets @7 :List(UInt64);    # cookies
  pieceEnds @8 :List(UInt32);  # where each piece of bytes ends
  bytes @9 :Data;

  send @10 :Io;
  receive @11 :Io;
  arrival @12 :Arrival;
  retransmit @13 :Retransmit;
  reset @14 :Reset;
  stateChange @15 :StateChange;
  accept @16 :Accept;
  socketInfo @17 :SocketInfo;
  offCpu @18 :OffCpu;
  taskStart @19 :TaskStart;
  taskExec @20 :TaskExec;
  taskExit @21 :TaskExit;
  taskInfo @22 :TaskInfo;
  mapping @23 :Mapping;
  clock @24 :Clock;
  loss @25 :Loss;
  recorderCost @26 :RecorderCost;
  programCost @27 :ProgramCost;
  tlsSend @28 :TlsIo;
  tlsReceive @29 :TlsIo;
  tlsStep @30 :TlsStep;
  probe @31 :Probe;
  goroutine @32 :List(UInt16); # ref into goroutines; 0: none
  goroutines @33 :List(UInt64);
  goCreate @34 :GoCreate;
  goRuntime @35 :GoRuntime;
  goState @36 :GoState;
  goHandler @37 :GoHandler;
  goProgram @38 :GoProgram;
  stall @39 :Stall;
  cpuQuota @40 :CpuQuota;
  goCall @41 :GoCall;
  sample @42 :Sample;
  goExit @43 :GoExit;
  goPanic @44 :GoPanic;
  oomKill @45 :OomKill;
  goBuild @46 :GoBuild;
  goChannel @47 :GoChannel;
  goAllocations @48 :GoAllocations;
  fileCall @49 :FileCall;
  note @50 :Note;
  netInterface @51 :NetInterface;
  masking @52 :Masking;
  machine @53 :MachineCpu;
  netLink @54 :NetLink;
  processUse @55 :ProcessUse;
  packetDrops @56 :PacketDrops;
  goHeap @57 :GoHeap;
  mallocCalls @58 :MallocCalls;
}

struct Io {
  socket @0 :List(UInt16);     # ref into sockets; 0: as the event of this thread before
  how @1 :List(UInt8);         # bits 0-2 payload, 3 truncated, 4 position, 5 missed, 6 error: next of the sparse column; 7 continued
  syscall @2 :List(UInt16);
  length @3 :List(UInt32);
  head @4 :List(UInt16);       # ref to a piece; 0: empty
  tail @5 :List(UInt16);       # ref to a piece
  position @6 :List(UInt64);   # sparse; else where the event of this kind and socket before ended
  missed @7 :List(UInt16);     # sparse
  error @8 :List(Int32);       # sparse
}

struct Arrival {
  socket @0 :List(UInt16);
  how @1 :List(UInt8);         # bits 4 position, 5 missed
  length @2 :List(UInt32);
  position @3 :List(UInt32);   # sparse, as in Io
  missed @4 :List(UInt16);     # sparse
}

struct Retransmit {
  socket @0 :List(UInt16);
  position @1 :List(UInt32);
  length @2 :List(UInt32);
  interface @3 :List(UInt32);  # 0: not known
  segment @4 :List(UInt32);
  pathMtu @5 :List(UInt32);
}

struct Reset {
  socket @0 :List(UInt16);
  direction @1 :List(UInt8);   # 0 out, 1 in
}

struct StateChange {
  socket @0 :List(UInt16);
  from @1 :List(UInt8);
  to @2 :List(UInt8);
  byThread @3 :List(UInt8);
  error @4 :List(Int32);
  queue @5 :List(UInt32);
  rtt @6 :List(Int64);         # ns; 0: not measured
}

struct Accept {
  socket @0 :List(UInt16);
  descriptor @1 :List(Int32);
}

struct SocketInfo {
  socket @0 :List(UInt16);
  family @1 :List(UInt8);
  type @2 :List(UInt8);
  origin @3 :List(UInt8);
  state @4 :List(UInt8);
  localAddress @5 :List(UInt16);   # ref to a piece of 16 bytes; 0: all zero
  localPort @6 :List(UInt16);
  remoteAddress @7 :List(UInt16);
  remotePort @8 :List(UInt16);
  nextOut @9 :List(UInt32);
  nextIn @10 :List(UInt32);
  inode @11 :List(UInt64);
  peerInode @12 :List(UInt64);
  netNamespace @13 :List(UInt32);
  path @14 :List(UInt16);          # ref to a piece
  listener @15 :List(UInt16);      # ref into sockets; 0: not known
  queue @16 :List(UInt32);
  queueLimit @17 :List(UInt32);
  drops @18 :List(UInt32);
  rtt @19 :List(Int64);            # ns; 0: not measured
  interface @20 :List(UInt32);     # 0: not known
  peerPid @21 :List(UInt32);       # 0: not known
}

struct OffCpu {
  how @0 :List(UInt8);         # bits 0 left, 1 runnable: next of the sparse column; 2 runnable unknown; 3 missed; 4 throttled; 5 timed; 6 stolen; 7 ongoing
  off @1 :List(UInt32);        # time - left, ns
  queued @2 :List(UInt32);     # time - runnable, ns
  waker @3 :List(UInt32);
  state @4 :List(UInt32);
  syscall @5 :List(Int16);
  argument0 @6 :List(UInt64);
  argument1 @7 :List(UInt64);
  left @8 :List(Int64);        # sparse, absolute
  runnable @9 :List(Int64);    # sparse, absolute
  missed @10 :List(UInt16);    # sparse
  socket @11 :List(UInt16);    # ref into sockets; 0: none
  file @12 :List(UInt8);       # formats/io_terms.h: FileKind
  wokenIn @13 :List(UInt8);
  stolen @14 :List(Int64);     # sparse, ns
}

struct TaskStart {
  parentPid @0 :List(UInt32);
  parentTid @1 :List(UInt32);
  comm @2 :List(UInt16);       # refs to pieces, as all names below
}

struct TaskExec {
  comm @0 :List(UInt16);
  filename @1 :List(UInt16);
}

struct TaskExit {
  code @0 :List(Int32);
}

struct TaskInfo {
  parentPid @0 :List(UInt32);
  comm @1 :List(UInt16);
  commandLine @2 :List(UInt16);
  executable @3 :List(UInt16);
  cgroup @4 :List(UInt16);
  started @5 :List(Int64);     # absolute
  service @6 :List(UInt16);
}

struct Mapping {
  start @0 :List(UInt64);
  end @1 :List(UInt64);
  fileOffset @2 :List(UInt64);
  path @3 :List(UInt16);
  buildId @4 :List(UInt16);
}

struct Clock {
  realtime @0 :List(Int64);
  boottime @1 :List(Int64);
  uncertainty @2 :List(Int64);
}

struct Loss {
  since @0 :List(Int64);       # absolute
  cause @1 :List(UInt8);
  kind @2 :List(UInt8);
  count @3 :List(UInt64);
}

struct RecorderCost {
  cpu @0 :List(Int64);
  resident @1 :List(UInt64);
}

struct ProgramCost {
  program @0 :List(UInt16);
  runs @1 :List(UInt64);
  time @2 :List(Int64);
}

struct TlsIo {
  session @0 :List(UInt16);    # ref into sockets, never 0
  how @1 :List(UInt8);         # bits 0-2 payload, 4 position, 5 missed, 6 began: next of the sparse column; 7 continued
  length @2 :List(UInt32);
  took @3 :List(UInt32);       # time - began, ns
  head @4 :List(UInt16);       # refs to pieces
  tail @5 :List(UInt16);
  position @6 :List(UInt64);   # sparse; else where the event of this kind and session before ended
  missed @7 :List(UInt16);     # sparse
  began @8 :List(Int64);       # sparse, absolute
}

struct TlsStep {
  session @0 :List(UInt16);
  library @1 :List(UInt8);
  step @2 :List(UInt8);
  code @3 :List(Int32);
}

struct Probe {
  path @0 :List(UInt16);       # refs to pieces, as function, place and reason
  function @1 :List(UInt16);
  place @2 :List(UInt16);
  offset @3 :List(UInt64);
  price @4 :List(UInt32);
  reason @5 :List(UInt16);
}

struct GoCreate {
  child @0 :List(UInt64);
  function @1 :List(UInt16);  # refs to pieces
  from @2 :List(UInt16);
}

struct GoRuntime {
  phase @0 :List(UInt8);
  reason @1 :List(UInt16);  # ref to a piece
}

struct GoState {
  goroutine @0 :List(UInt64);
  state @1 :List(UInt8);
  reason @2 :List(UInt16);  # ref to a piece
}

struct GoHandler {
  address @0 :List(UInt64);
  name @1 :List(UInt16);  # ref to a piece
  grpc @2 :List(UInt8);
}

struct GoProgram {
  path @0 :List(UInt16);  # ref to a piece
  version @1 :List(UInt16);  # ref to a piece
  offsetsFrom @2 :List(UInt16);  # ref to a piece
  unsupported @3 :List(UInt16);  # ref to a piece
  goidOffset @4 :List(UInt16);
  parts @5 :List(UInt8);
  processors @6 :List(UInt16);
}

struct Stall {
  what @0 :List(UInt8);
  took @1 :List(UInt64);  # time - began, ns
  where @2 :List(UInt64);
  detail @3 :List(UInt32);
}

struct CpuQuota {
  cgroup @0 :List(UInt16);  # ref to a piece
  period @1 :List(Int64);
  quota @2 :List(Int64);
  periods @3 :List(UInt64);
  throttled @4 :List(UInt64);
  throttledTime @5 :List(Int64);
}

struct GoCall {
  connection @0 :List(UInt64);
  step @1 :List(UInt8);
  stream @2 :List(UInt32);
}

struct GoChannel {
  step @0 :List(UInt8);
  channel @1 :List(UInt64);
  slot @2 :List(UInt64);
  partner @3 :List(UInt64);
}

struct Sample {
  user @0 :List(UInt16);    # ref to a piece
  kernel @1 :List(UInt16);  # ref to a piece
  kind @2 :List(UInt8);
  more @3 :List(UInt32);    # weight - 1
  value @4 :List(UInt64);
  end @5 :List(UInt8);
  lines @6 :List(UInt16);     # refs to pieces
  places @7 :List(UInt16);
  buildIds @8 :List(UInt16);
  files @9 :List(UInt16);
}

struct GoExit {
  goroutine @0 :List(UInt64);
}

struct GoPanic {
  step @0 :List(UInt8);
  stack @1 :List(UInt16);   # ref to a piece
}

struct OomKill {
}

struct GoBuild {
  path @0 :List(UInt16);    # refs to pieces
  lines @1 :List(UInt16);
}

struct GoAllocations {
  least @0 :List(UInt64);
  count @1 :List(UInt64);
  bytes @2 :List(UInt64);
}

struct MallocCalls {
  least @0 :List(UInt64);
  count @1 :List(UInt64);
  bytes @2 :List(UInt64);
}

struct GoHeap {
  limit @0 :List(UInt64);
  percent @1 :List(Int32);
  used @2 :List(UInt64);
  live @3 :List(UInt64);
}

struct FileCall {
  act @0 :List(UInt8);
  took @1 :List(UInt64);       # time - began, ns
  result @2 :List(Int64);
  descriptor @3 :List(Int32);
  path @4 :List(UInt16);       # ref to a piece
}

struct Note {
  key @0 :List(UInt16);        # refs to pieces
  value @1 :List(UInt16);
}

struct NetInterface {
  netNamespace @0 :List(UInt32);
  index @1 :List(UInt32);
  name @2 :List(UInt16);       # ref to a piece
  family @3 :List(UInt8);
  address @4 :List(UInt16);    # as in SocketInfo
  prefix @5 :List(UInt8);
}

struct NetLink {
  netNamespace @0 :List(UInt32);
  index @1 :List(UInt32);
  name @2 :List(UInt16);       # refs to pieces
  type @3 :List(UInt16);
  mtu @4 :List(UInt32);
  master @5 :List(UInt32);
  peer @6 :List(UInt32);
  peerNamespace @7 :List(UInt32);
  up @8 :List(UInt8);
  gone @9 :List(UInt8);
}

struct ProcessUse {
  cpu @0 :List(Int64);
  resident @1 :List(UInt64);
  anonymous @2 :List(UInt64);
}

struct PacketDrops {
  took @0 :List(UInt64);       # time - began, ns
  reason @1 :List(UInt16);     # ref to a piece
  family @2 :List(UInt8);
  protocol @3 :List(UInt8);
  to @4 :List(UInt16);         # as in SocketInfo
  toPort @5 :List(UInt16);
  count @6 :List(UInt64);
}

struct Masking {
  streams @0 :List(UInt64);
  foreign @1 :List(UInt64);
  doubtful @2 :List(UInt64);
  withheld @3 :List(UInt64);
  sends @4 :List(UInt64);
  receives @5 :List(UInt64);
}

struct MachineCpu {
  user @0 :List(UInt8);
  took @1 :List(UInt64);       # time - began, ns
  cpuTime @2 :List(Int64);     # ns
  process @3 :List(UInt32);
  comm @4 :List(UInt16);       # ref to a piece
  bytesRead @5 :List(UInt64);
  bytesWritten @6 :List(UInt64);
}
