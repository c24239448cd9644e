// The lab's Go service: service LOG. /chan/MS: one goroutine does all the work; /mutex/MS: held over a sleep; /alloc/KIB: garbage;
// /leak/N: a goroutine that never ends.
// Prints its port; writes what it injected when its standard input ends.
package main

import (
	"bufio"
	"fmt"
	"net"
	"net/http"
	"os"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"time"
	"unsafe"
)

type job struct {
	d    time.Duration
	done chan struct{}
}

var (
	jobs  = make(chan job)
	lock  sync.Mutex
	truth sync.Mutex
	lines []string
	heap  *node
	sink  []byte
)

type node struct{ left, right *node }

func tree(depth int) *node {
	if depth == 0 {
		return &node{}
	}
	return &node{tree(depth - 1), tree(depth - 1)}
}

// The clock of the kernel's events.
func now() int64 {
	var t syscall.Timespec
	syscall.Syscall(syscall.SYS_CLOCK_GETTIME, 1, uintptr(unsafe.Pointer(&t)), 0)
	return t.Nano()
}

func serve(w http.ResponseWriter, r *http.Request) {
	begin := now()
	words := strings.Split(r.URL.Path, "/")
	n := 0
	if len(words) > 2 {
		n, _ = strconv.Atoi(words[2])
	}
	injected := int64(0)
	switch words[1] {
	case "chan":
		t := now()
		j := job{time.Duration(n) * time.Millisecond, make(chan struct{})}
		jobs <- j
		<-j.done
		injected = now() - t
	case "mutex":
		t := now()
		lock.Lock()
		time.Sleep(time.Duration(n) * time.Millisecond)
		lock.Unlock()
		injected = now() - t
	case "leak":
		if n > 0 {
			go func() { <-make(chan struct{}) }()
		}
	case "alloc":
		t := now()
		for i := 0; i < n; i++ {
			sink = make([]byte, 4096)
		}
		if n > 0 {
			injected = now() - t
		}
	}
	w.Write([]byte("ok\n"))
	line := fmt.Sprintf(`{"id":%q,"path":%q,"read_ns":%d,"begun_ns":%d,"done_ns":%d,"injected_ns":%d}`, r.Header.Get("X-Request-Id"), r.URL.Path, begin, begin, now(), injected)
	truth.Lock()
	lines = append(lines, line)
	truth.Unlock()
}

func main() {
	go func() {
		for j := range jobs {
			time.Sleep(j.d)
			close(j.done)
		}
	}()
	if os.Getenv("GOGC") != "" {
		heap = tree(20)
	}
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		panic(err)
	}
	fmt.Println(listener.Addr().(*net.TCPAddr).Port)
	go http.Serve(listener, http.HandlerFunc(serve))
	bufio.NewReader(os.Stdin).ReadString(0)
	truth.Lock()
	os.WriteFile(os.Args[1], []byte(strings.Join(lines, "\n")+"\n"), 0o644)
}
