#!/bin/busybox sh
# The first process of the guest: runs each step of /steps and writes what it left in /out to the second serial port, as tar
# files one behind the other. A line of /steps: NAME SECONDS WHAT [ARGUMENT...].
/bin/busybox --install -s /bin
export PATH=/bin HOME=/tmp
mount -t proc proc /proc
mount -t sysfs sys /sys
mount -t devtmpfs dev /dev
mount -t tracefs trace /sys/kernel/tracing
mount -t cgroup2 cgroup /sys/fs/cgroup
mount -t tmpfs tmp /tmp
mount -t tmpfs out /out
ip link set lo up
. /places # RECORD, SERVICE, LOAD, BPF_TEST: absolute paths; RESULTS: the second serial port
stty -F "$RESULTS" raw -echo

# Runs a command for a step; its output and exit code are kept.
run() {
  echo "$*" >>"$dir/command"
  "$@" >>"$dir/log" 2>&1
  code=$?
  echo $code >"$dir/code"
  return $code
}

# Waits up to half of the step's time until the recorder records, which a note shows.
recording() {
  i=0
  while [ $i -lt $((seconds * 2)) ]; do
    kill -0 "$recorder" 2>/dev/null || return 1
    "$RECORD" control "$dir/capture.tcap" note ready=1 >/dev/null 2>&1 && return 0
    usleep 250000
    i=$((i + 1))
  done
  return 1
}

# The sample service under load and httpd under wget, both ends recorded. What they did is in service.jsonl, load.jsonl, wget.
workload() {
  mkdir -p /tmp/www
  dd if=/dev/zero of=/tmp/www/file bs=1000 count=3 2>/dev/null
  "$SERVICE" --port 8080 --log "$dir/service.jsonl" >"$dir/service.log" 2>&1 &
  service=$!
  httpd -f -p 127.0.0.1:8090 -h /tmp/www >>"$dir/httpd.log" 2>&1 &
  httpd=$!
  sleep 1
  echo "tailcap-record $*" >"$dir/command"
  "$RECORD" -o "$dir/capture.tcap" -p $service -p $httpd --comm tailcap-load --comm wget "$@" >"$dir/log" 2>&1 &
  recorder=$!
  if recording; then
    "$LOAD" http://127.0.0.1:8080 -n 80 -c 4 --log "$dir/load.jsonl" >/dev/null 2>&1
    for i in 1 2 3 4 5 6 7 8 9 10; do
      /bin/wget -q -O "/tmp/got" --header "x-request-id: wget-$i" http://127.0.0.1:8090/file &&
        echo "wget-$i $(wc -c </tmp/got)" >>"$dir/wget"
    done
    sleep 2
    kill -INT "$recorder"
  fi
  wait "$recorder"
  echo $? >"$dir/code"
  kill $service $httpd
}

# A server and a client that are one program (tests/kernels/pairs), both ends recorded: pair PROGRAM plain|tls [OPTION...].
pair() {
  program=$1 how=$2
  shift 2
  "$program" server "$how" "$dir/service.jsonl" >"$dir/service.log" 2>&1 &
  service=$!
  sleep 1
  echo "tailcap-record $*" >"$dir/command"
  "$RECORD" -o "$dir/capture.tcap" -p $service --comm "${program##*/}" "$@" >"$dir/log" 2>&1 &
  recorder=$!
  if recording; then
    "$program" client "$how" "$dir/load.jsonl" >"$dir/load.log" 2>&1
    sleep 2
    kill -INT "$recorder"
  fi
  wait "$recorder"
  echo $? >"$dir/code"
  kill $service
}

# Everybody on the machine, while processes come and go and the kernel refuses a connection.
node() {
  echo "tailcap-record --profile node $*" >"$dir/command"
  "$RECORD" -o "$dir/capture.tcap" --profile node "$@" >"$dir/log" 2>&1 &
  recorder=$!
  if recording; then
    for i in 1 2 3 4 5; do /bin/wget -q -O /dev/null http://127.0.0.1:9/ 2>/dev/null; done
    sleep 2
    kill -INT "$recorder"
  fi
  wait "$recorder"
  echo $? >"$dir/code"
}

# All of tests/bpf. What fails runs once more, as in scripts/test: an emulated machine stands still now and then.
tests() {
  run "$BPF_TEST"
  failed=$(sed -n 's/^\[  FAILED  \] \([A-Za-z0-9_./]*\).*/\1/p' "$dir/log" | grep -F . | sort -u | tr '\n' ':')
  [ -n "$failed" ] || return
  echo "again: $failed" >>"$dir/log"
  run "$BPF_TEST" "--gtest_filter=$failed"
}

while read -r name seconds what arguments; do
  dir=/out/$name
  mkdir "$dir"
  echo "step $name: $what $arguments" >/dev/console
  # shellcheck disable=SC2086  # a list of arguments
  case $what in
    run) eval "run $arguments" >>"$dir/log" 2>&1 ;;
    *) eval "$what $arguments" ;;
  esac </dev/null &
  step=$!
  (sleep "$seconds" && echo "the step took longer than $seconds s" >>"$dir/log" && killall -9 tailcap-record bpf_test 2>/dev/null) &
  watch=$!
  wait $step
  kill $watch 2>/dev/null
  tar -C /out -cf - "$name" >"$RESULTS"
  rm -rf "$dir"
done </steps
echo "all steps are done" >/dev/console
sync
poweroff -f
